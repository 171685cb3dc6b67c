// What callers name but other modules define: `import Speculate` brings it along.
@_exported public import struct Files.Notice
@_exported public import struct Files.SpeculateError
@_exported public import typealias Files.Token
@_exported public import struct Foundation.URL
@_exported public import enum Tensors.KeyValueFormat
@_exported public import struct Tensors.WeightFormat
@_exported public import struct Tensors.WeightFormatChoice
@_exported public import struct Text.ChatSettings
@_exported public import struct Text.Conversation
