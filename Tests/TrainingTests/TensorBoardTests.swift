import Foundation
import Testing
import Training

/// Event files as TensorBoard reads them.
@Suite struct TensorBoardTests {
  @Test func `checksums are those of the published vectors`() {
    // RFC 3720, appendix B.4.
    #expect(CRC32C.of(Data(repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.of(Data(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.of(Data((0..<32).map { UInt8($0) })) == 0x46DD_794E)
    #expect(CRC32C.of(Data("123456789".utf8)) == 0xE306_9283)
  }

  @Test func `a file holds the version, the start and the scalars`() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("events-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = try TensorBoardFile(folder: folder, step: 300, time: 2)
    try file.append(step: 310, scalars: [("loss/train", 1.5), ("a", -2)], time: 3)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.count == 1 && names[0].hasPrefix("events.out.tfevents.2."))
    let data = try Data(contentsOf: folder.appendingPathComponent(names[0]))

    // Written by hand from event.proto: field << 3 | type, then the value.
    let time2: [UInt8] = [0x09, 0, 0, 0, 0, 0, 0, 0, 0x40]
    let time3: [UInt8] = [0x09, 0, 0, 0, 0, 0, 0, 0x08, 0x40]
    let loss: [UInt8] = [0x0A, 10] + Array("loss/train".utf8) + [0x15, 0, 0, 0xC0, 0x3F]
    let a: [UInt8] = [0x0A, 1, 0x61, 0x15, 0, 0, 0, 0xC0]
    let summary = [0x0A, UInt8(loss.count)] + loss + [0x0A, UInt8(a.count)] + a
    let expected: [[UInt8]] = [
      time2 + [0x10, 0, 0x1A, 13] + Array("brain.Event:2".utf8),
      time2 + [0x10, 0xAC, 0x02, 0x3A, 2, 0x08, 1],
      time3 + [0x10, 0xB6, 0x02, 0x2A, UInt8(summary.count)] + summary,
    ]
    var offset = 0
    for event in expected {
      let length = data[offset..<offset + 8]
      #expect(Array(length) == [UInt8(event.count)] + [UInt8](repeating: 0, count: 7))
      #expect(data[offset + 8..<offset + 12] == CRC32C.masked(Data(length)))
      let body = data[(offset + 12)...].prefix(event.count)
      #expect(Array(body) == event)
      offset += 12 + event.count
      #expect(data[offset..<offset + 4] == CRC32C.masked(Data(body)))
      offset += 4
    }
    #expect(offset == data.count)
  }
}
