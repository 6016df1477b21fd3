using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary><c>check config</c>: whether the server would start with a settings file, while the one that runs goes on undisturbed.</summary>
static class CheckConfig
{
    /// <param name="look">Builds the server on an empty directory and starts nothing; null where there is no server to build.</param>
    public static Verb Row(Func<Settings, Task<string?>>? look) => new("check config", "[FILE]", "say whether the server can start with a settings file", [new("--json", null, "print JSON")],
        invocation => RunAsync(invocation, look), $"""
        Every key and value is read, files of certificates included, as at a start; nothing listens and nothing is changed.
        Without FILE it is {DataPlace.SettingsFile}. The server reads its settings when it starts.
        """);

    static async Task<int> RunAsync(Invocation invocation, Func<Settings, Task<string?>>? look)
    {
        var file = invocation.Arguments.Count > 0 ? invocation.Arguments[0] : DataPlace.SettingsFile;
        var loaded = SettingsFile.Load(new(file));
        var problem = loaded.Problem ?? (loaded.Settings is { } settings && look is not null ? await look(settings) : null);
        if (invocation.Json) invocation.Print(new JsonBody().Add("file", file).Add("ok", problem is null).Add("problem", problem).ToString());
        else if (problem is null) invocation.Print($"{file} is right: the server starts with it.");
        else throw new Refused(problem);
        return problem is null ? 0 : 1;
    }
}
