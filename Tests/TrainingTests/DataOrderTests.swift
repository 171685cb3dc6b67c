import Testing
import Training

/// Which data a step sees is a function of the seed and the step's number alone.
@Suite struct DataOrderTests {
  @Test(arguments: [(33, 16), (1000, 16), (1001, 7), (3, 1)])
  func `an epoch visits windows once, without overlap`(tokens: Int, length: Int) throws {
    var sampler = try #require(WindowSampler(tokens: tokens, length: length, seed: 5))
    let perEpoch = (tokens - 1) / length - 1
    for epoch in 0..<3 {
      let starts = (0..<perEpoch).map { sampler.start(ofWindow: epoch * perEpoch + $0) }.sorted()
      #expect(starts.allSatisfy { $0 >= 0 && $0 + length + 1 <= tokens })
      #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 == length })
      #expect(starts.count == perEpoch)
    }
  }

  @Test func `windows need neither memory nor order`() throws {
    var forward = try #require(WindowSampler(tokens: 500, length: 9, seed: 5))
    var jumping = forward
    var other = try #require(WindowSampler(tokens: 500, length: 9, seed: 6))
    let starts = (0..<200).map { forward.start(ofWindow: $0) }
    for number in [150, 3, 199, 0, 54, 55, 150] {
      #expect(jumping.start(ofWindow: number) == starts[number])
    }
    let perEpoch = 499 / 9 - 1
    #expect(Array(starts[..<perEpoch]) != Array(starts[perEpoch..<2 * perEpoch]))
    #expect(starts != (0..<200).map { other.start(ofWindow: $0) })
    #expect(WindowSampler(tokens: 18, length: 9, seed: 1) == nil)
    #expect(WindowSampler(tokens: 19, length: 9, seed: 1) != nil)
  }

  @Test func `every epoch visits every sequence once`() {
    var visits = VisitOrder(count: 10, seed: 3)
    let order = (0..<30).map { visits.sequence(ofVisit: $0) }
    for epoch in 0..<3 { #expect(order[epoch * 10..<epoch * 10 + 10].sorted() == Array(0..<10)) }
    #expect(Array(order[..<10]) != Array(order[10..<20]))
    var again = VisitOrder(count: 10, seed: 3)
    #expect(again.sequence(ofVisit: 17) == order[17])
  }

  @Test func `anchors are distinct, ascending, and every place is as likely`() {
    var counts = [Int](repeating: 0, count: 10)
    for visit in 0..<2000 {
      let anchors = AnchorSampler.anchors(4, from: 20..<30, seed: 1, visit: visit)
      #expect(anchors.count == 4 && zip(anchors, anchors.dropFirst()).allSatisfy { $0 < $1 })
      for anchor in anchors { counts[anchor - 20] += 1 }
    }
    // 800 expected, with a standard deviation of 22.
    #expect(counts.allSatisfy { (690...910).contains($0) }, "\(counts)")
    #expect(AnchorSampler.anchors(4, from: 5..<8, seed: 1, visit: 0) == [5, 6, 7])
  }
}
