/// The bytes of a file in memory, mapped or owned, valid while the object lives.
package protocol FileContents: AnyObject, Sendable {
  /// All bytes of the file.
  var bytes: UnsafeRawBufferPointer { get }
}
