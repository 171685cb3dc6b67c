import ArgumentParser

struct AnalyzeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "analyze",
    abstract: "Study acceptance: run configurations side by side, report on traces, give advice.",
    subcommands: [
      AnalyzeRunCommand.self, AnalyzeReportCommand.self, AnalyzeAdviseCommand.self,
      AnalyzeBranchesCommand.self, AnalyzePerplexityCommand.self, AnalyzePoliciesCommand.self,
    ])
}
