using System.Globalization;
using System.Text;
using System.Text.Json;
using CbaMail.Config;

namespace CbaMail.Cli;

/// <summary><c>vault collect</c>.</summary>
static class VaultVerbs
{
    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("vault collect", "", "give the space of removed mail back to the disk now", Verb.Client, CollectAsync,
            "The server does so by itself from time to time and slowly; this does it at once and as fast as it goes."),
    ];

    static async Task<int> CollectAsync(Invocation invocation)
    {
        var report = await invocation.Server.PostAsync("vault/collect");
        invocation.Print(report, Sentence);
        return report.Number("kept") == 0 ? 0 : 1;
    }

    static string Sentence(JsonElement report)
    {
        if (report.Text("waits") is { Length: > 0 } damaged)
            return $"Nothing is removed as long as {damaged} lies there: since that repair the packs may hold mail whose rows could not be saved. Move the file away when nothing is missed any more.";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{report.Number("packs")} packs of {Sizes.Show(report.Number("freed"))} were removed; {Sizes.Show(report.Number("copied"))} that live were copied.");
        if (report.Number("held") > 0) text.Append(CultureInfo.InvariantCulture, $" {report.Number("held")} more are empty and go when the backup that is running has ended.");
        if (report.Number("kept") > 0) text.Append(CultureInfo.InvariantCulture, $" {report.Number("kept")} stay because something in them is damaged: run 'cbamail verify'.");
        return text.ToString();
    }
}
