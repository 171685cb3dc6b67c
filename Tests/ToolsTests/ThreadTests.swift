import Foundation
import Testing

/// A system that starts no threads: one line, not a crash that looks like Ctrl-C.
@Suite struct ThreadTests {
  @Test(arguments: ["", "OPENBLAS_NUM_THREADS=1 "])
  func refusedThreadsAreAnError(variables: String) throws {
    // Root may start as many as there are.
    let user = geteuid() == 0 ? "setpriv --reuid 65534 --regid 65534 --clear-groups " : ""
    let program = CommandProcess.programs.appending(path: "speculate").path
    guard try shell("\(user)test -x '\(program)'").status == 0 else {
      print("skipped: no other user can run \(program)")
      return
    }
    let result = try shell(
      "\(user)bash -c \"ulimit -u 1; \(variables)exec '\(program)' bench matmul --matrix 64x64 "
        + "--rounds 1 --threads 2\"")
    #expect(result.status == 1)
    #expect(result.output == "")
    let lines = result.errors.split(separator: "\n")
    #expect(lines.count == 1, "\(result.errors)")
    #expect(lines.first?.hasPrefix("error: the system starts no ") == true, "\(result.errors)")
  }
}
