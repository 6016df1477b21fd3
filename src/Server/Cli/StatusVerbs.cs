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
        new("statistics", "", "what came, went and was refused, step by step, and what domains hold", [
            new("--domain", "NAME", "only of this domain"), new("--since", "TIME", "an age such as 7d, or a time (default 1d)"), new("--until", "TIME", "likewise; a day is counted to its end"),
            new("--step", "TIME", "as in 1h (the default) or 1d"), new("--domains", null, "print what domains hold in place of the steps"), .. Verb.Client], StatisticsAsync, "Times are in UTC. --csv prints the steps, and with --domains the domains."),
    ];

    static async Task<int> StatusAsync(Invocation invocation)
    {
        var status = await invocation.Server.GetAsync("status");
        invocation.Print(status, Details);
        if (status.True("healthy")) return 0;
        await invocation.Error.WriteLineAsync("cbamail: Not healthy: " + string.Join("; ", status.Items("parts").Where(part => !part.True("healthy")).Select(part => $"{part.Text("name")}: {part.Text("detail")}")));
        return 1;
    }

    static async Task<int> StatisticsAsync(Invocation invocation)
    {
        var asked = new[] { "domain", "since", "until", "step" }.Where(name => invocation.Value("--" + name) is not null).Select(name => $"{name}={Uri.EscapeDataString(invocation.Value("--" + name)!)}").ToList();
        var answer = await invocation.Server.GetAsync("statistics" + (asked.Count > 0 ? "?" + string.Join('&', asked) : ""));
        if (invocation.Json) { invocation.Print(answer.GetRawText()); return 0; }
        return invocation.Has("--domains")
            ? invocation.Print(answer.GetProperty("domains"), ["DOMAIN", "ACCOUNTS", "MESSAGES", "BYTES"], one => [Readable.Domain(one.Text("domain")), one.Text("accounts"), one.Text("messages"), Sizes.Show(one.Number("bytes"))])
            : invocation.Print(answer.GetProperty("steps"), ["AT", "RECEIVED", "BYTES", "SUBMITTED", "BYTES", "REFUSED", "DELIVERED", "BOUNCED"],
                one => [one.Minute("at"), one.Text("received"), Sizes.Show(one.Number("receivedBytes")), one.Text("submitted"), Sizes.Show(one.Number("submittedBytes")), one.Text("refused"), one.Text("delivered"), one.Text("bounced")]);
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
