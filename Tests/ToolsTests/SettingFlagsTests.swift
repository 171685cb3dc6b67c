import Testing
import Tools

/// Errors of the libraries name settings; the command shows their flags.
@Suite struct SettingFlagsTests {
  @Test func `settings in quotes become flags, and nothing else does`() {
    #expect(
      SettingFlags.naming(
        "the loss became nan: give a lower ‘learning rate’ or another ‘output’, or make a length with "
          + "'speculate distill data', not ‘Learning rate’")
        == "the loss became nan: give a lower --learning-rate or another --output, or make a length "
        + "with 'speculate distill data', not ‘Learning rate’")
    // What a template or a file calls something is no setting.
    #expect(SettingFlags.naming("there is no filter 'output'") == "there is no filter 'output'")
  }

  @Test func `every flag is one`() throws {
    let commands = [
      ["generate"], ["convert"], ["pretrain"], ["distill", "train"], ["distill", "data"],
      ["force", "train"], ["analyze", "run"], ["serve"],
    ]
    let help = try commands.map { try CommandProcess($0 + ["--help"]).wait().output }.joined()
    for setting in SettingFlags.settings {
      #expect(help.contains(SettingFlags.flag(setting) + " "), "\(setting)")
    }
  }
}
