using System.Globalization;
using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary><c>serve</c>: the server itself.</summary>
static class ServeVerb
{
    public static Verb Row(Func<Settings, ServeOptions, Task<int>> serve) => new("serve", "", "run the server", [
        new("--config", "FILE", "settings file (YAML)"),
        new("--data", "DIR", "data directory (default ./data)"),
        new("--port-offset", "N", "added to every well-known port"),
        new("--hostname", "NAME", "the server's own name in mail and greetings"),
        new("--evaluation", null, "loopback only, clear-text sign-in, no rate limits: for trying out"),
        new("--demonstration", "KIND", "with --evaluation, at the first start: \"course\" sets up the demonstration course, \"empty\" only the domain and an administrator"),
    ], invocation => RunAsync(invocation, serve), """
        Without a settings file every part listens on its well-known port.
        Stop it with Ctrl-C or SIGTERM; what was acknowledged is on the disk by then.
        """);

    static async Task<int> RunAsync(Invocation invocation, Func<Settings, ServeOptions, Task<int>> serve)
    {
        int? offset = null;
        if (invocation.Value("--port-offset") is { } text)
            offset = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 60000
                ? number : throw new Refused($"--port-offset takes a number from 0 to 60000, not \"{text}\"", 2);
        var demonstration = invocation.Value("--demonstration");
        if (demonstration is not (null or "course" or "empty")) throw new Refused("--demonstration takes \"course\" or \"empty\"", 2);
        var loaded = SettingsFile.Load(new(invocation.Value("--config"), invocation.Value("--data"), offset, invocation.Value("--hostname"), invocation.Has("--evaluation")));
        if (loaded.Settings is not { } settings) throw new Refused(loaded.Problem ?? "The settings cannot be read");
        if (demonstration is not null && !settings.Evaluation) throw new Refused("--demonstration is for the evaluation profile: add --evaluation", 2);
        return await serve(settings, new ServeOptions(services => FirstSteps.RunAsync(services, settings, demonstration)));
    }
}
