/// A token's index in the vocabulary.
public typealias Token = Int32
