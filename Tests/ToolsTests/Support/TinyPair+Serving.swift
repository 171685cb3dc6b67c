import Files
import Foundation

extension TinyPair {
  /// Starts a server of the pair on a free port, and waits until it serves.
  func serve(_ arguments: [String] = []) throws -> (process: CommandProcess, port: Int) {
    let process = try CommandProcess(
      ["serve", "--port", "0"] + arguments,
      environment: ["SPECULATE_WEIGHTS": folder.path, "SPECULATE_API_KEY": ""])
    let watch = Stopwatch()
    while watch.elapsed < 60 {
      let said = process.errors
      if said.contains("\nserving "),
        let port = said.firstMatch(of: /listening on http:\/\/127.0.0.1:(\d+)\//),
        let number = Int(port.1)
      {
        return (process, number)
      }
      Thread.sleep(forTimeInterval: 0.02)
    }
    process.kill()
    throw SpeculateError("the server doesn't serve: \(process.errors)")
  }
}
