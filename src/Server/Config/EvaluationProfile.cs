namespace CbaMail.Config;

/// <summary>
/// The profile that <c>./run</c>, tests and benchmarks start: other defaults for single keys, nothing else. Whatever the settings file
/// says is laid over it, so each of these can be switched back on for a test (contract.md, "The evaluation profile").
/// </summary>
public static class EvaluationProfile
{
    /// <summary>The host name unless one is given.</summary>
    public const string Hostname = "mail.example.test";

    public static Settings Apply(Settings settings) => settings with { Evaluation = true, Hostname = Hostname };

    /// <summary>What is said at the start.</summary>
    public static IReadOnlyList<string> Banner =>
    [
        "EVALUATION PROFILE: for trying out and for tests, not for real mail.",
        "Loopback addresses only; self-signed certificate; clear-text sign-in allowed; no rate limits, greylisting or bans; who signs in may send in any name of the own domain.",
    ];
}
