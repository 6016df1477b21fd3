using System.Globalization;
using System.Text;
using System.Text.Json;
using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary><c>status</c>: exit code 0 only when every part is healthy.</summary>
static class StatusVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("status", "", "health of every part, queue, disk, certificate", Verb.Client, StatusAsync, "Exit code 0 only when everything is healthy."),
    ];

    static async Task<int> StatusAsync(Invocation invocation)
    {
        var status = await invocation.Server.GetAsync("status");
        invocation.Print(status, Details);
        if (status.True("healthy")) return 0;
        await invocation.Error.WriteLineAsync("cbamail: Not healthy: " + string.Join("; ", status.Items("parts").Where(part => !part.True("healthy")).Select(part => $"{part.Text("name")}: {part.Text("detail")}")));
        return 1;
    }

    static string Details(JsonElement status)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"CBA Mail {status.Text("version")} on {status.Text("hostname")}, {(status.True("healthy") ? "healthy" : "NOT HEALTHY")}\n");
        text.Append(CultureInfo.InvariantCulture, $"up {TimeSpan.FromSeconds(status.Number("uptime")):d\\d\\ hh\\:mm\\:ss}, {Sizes.Show(status.Number("memory"))} resident, {status.Text("domains")} domains, {status.Text("accounts")} accounts\n\n");
        foreach (var part in status.Items("parts"))
            text.Append("  ").Append(part.True("healthy") ? "ok    " : "FAILS ").Append(part.Text("name").PadRight(14)).Append(part.Text("name").Length < 14 ? "" : " ").Append(part.Text("detail")).Append('\n');
        return text.ToString().TrimEnd('\n');
    }
}
