using System.Globalization;
using System.Text;
using System.Text.Json;
using CbaMail.Backup;
using CbaMail.Config;
using CbaMail.Envelope;

namespace CbaMail.Cli;

/// <summary><c>backup</c> and <c>restore</c>: through the running server where there is one, else on the data directory itself.</summary>
static class BackupVerbs
{
    static readonly Option Config = new("--config", "FILE", "settings file of the server, where none runs (it is kept in the backup, too)");

    public static readonly IReadOnlyList<Verb> Rows =
    [
        new("backup", "DIR", "copy everything into a directory, while the server runs or not",
        [
            new("--keep", "N", "remove all but the newest N snapshots"),
            new("--without-keys", null, "leave private keys and the settings file out"),
            new("--check", null, "compare the whole backup with its checksums, not only a part in turn"),
            Config, .. Verb.Client,
        ], BackUpAsync, """
            DIR becomes a repository of snapshots: each holds everything as of one moment, and only new mail is copied.
            The server writes it, as its own user; DIR should be on another disk.
            """),
        new("restore", "DIR", "put a backup back: all of it, one account, or one mailbox",
        [
            new("--list", null, "list the snapshots in DIR"),
            new("--at", "SNAPSHOT", "a snapshot's name or the beginning of one, as in 2026-11-22 (default latest)"),
            new("--account", "ADDRESS", "put back what this account misses, into the running server or a data directory that is there"),
            new("--mailbox", "NAME", "with --account: only this mailbox"),
            new("--into", "NAME", "with --account: put everything below this mailbox instead of where it was"),
            new("--dry-run", null, "with --account: only say what would be done"),
            new("--accept-damage", null, "restore what is whole although something in the backup is damaged"),
            new("--send-queue", null, "let mail that waited in the snapshot go out at the next start; it may have been sent since"),
            .. Verb.Client,
        ], RestoreAsync, """
            Without --account a new data directory (--data) is filled with the whole snapshot; nothing is ever overwritten.
            With --account messages that are missing now come back into their mailboxes; what is still there, moved perhaps, is not
            doubled (what lies in the trash counts as missing). An account that was removed is made again, with its password.
            """),
    ];

    // ---- backup

    static async Task<int> BackUpAsync(Invocation invocation)
    {
        var directory = Path.GetFullPath(invocation.Arguments[0]);
        var keep = Keep(invocation);
        JsonElement summary;
        if (OfflineVerify.IsServed(invocation.Data))
        {
            var body = new JsonBody().Add("directory", directory).Add("keep", keep).Add("withoutKeys", invocation.Has("--without-keys")).Add("checkAll", invocation.Has("--check"));
            summary = await FollowAsync(invocation, "backups", body, "the same command again copies only what is missing");
        }
        else
        {
            using var progress = new ProgressBar(invocation, "MB");
            var settings = Settings(invocation);
            if (!OfflineVerify.IsData(settings.Data))
                throw new Refused($"There is no data directory {settings.Data}, and no server runs on it; name it with --data DIR");
            summary = Taken(await OfflineStore.BackUpAsync(settings, new BackupOrder(directory, keep, invocation.Has("--without-keys"), invocation.Has("--check")), (done, of) => Show(progress, done, of), CancellationToken.None));
        }
        invocation.Print(summary, Sentence);
        return Complain(invocation, summary);
    }

    static int? Keep(Invocation invocation)
    {
        if (invocation.Value("--keep") is not { } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1
            ? number : throw new Refused($"--keep takes a number from 1 on, not \"{text}\"", 2);
    }

    static Settings Settings(Invocation invocation)
    {
        var loaded = SettingsFile.Load(new(invocation.Has("--config") ? invocation.Value("--config") : null, invocation.Value("--data")));
        return loaded.Settings ?? throw new Refused(loaded.Problem ?? "The settings cannot be read");
    }

    static string Sentence(JsonElement summary)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Snapshot {summary.Text("snapshot")}: {summary.Text("accounts")} accounts, {summary.Text("messages")} messages, {Sizes.Show(summary.Number("totalBytes"))} in all; ");
        text.Append(CultureInfo.InvariantCulture, $"{Sizes.Show(summary.Number("copiedBytes"))} of mail were new, {Sizes.Show(summary.Number("checkedBytes"))} were checked again, in {summary.Text("seconds")} s.");
        if (summary.Items("removed").Count() is > 0 and var gone) text.Append(CultureInfo.InvariantCulture, $"\nRemoved snapshots: {gone}.");
        return text.ToString();
    }

    /// <summary>A backup that found damage is a backup, and still somebody must look: exit code 1.</summary>
    static int Complain(Invocation invocation, JsonElement summary)
    {
        var found = summary.Items("damage").Select(item => item.GetString() ?? "").ToList();
        foreach (var sentence in found) invocation.Error.WriteLine("cbamail: " + sentence);
        return found.Count > 0 ? 1 : 0;
    }

    // ---- restore

    static async Task<int> RestoreAsync(Invocation invocation)
    {
        if (invocation.Has("--list")) return List(invocation);
        if (invocation.Has("--account")) return await RestoreAccountAsync(invocation);
        foreach (var option in (string[])["--mailbox", "--into", "--dry-run"])
            if (invocation.Has(option)) throw new Refused($"{option} belongs to the restore of one account: add --account ADDRESS", 2);
        using var progress = new ProgressBar(invocation, "MB");
        var order = new RestoreOrder(invocation.Arguments[0], invocation.Data, invocation.Value("--at"), invocation.Has("--accept-damage"), invocation.Has("--send-queue"));
        var summary = Taken(await new WholeRestore(order, TimeProvider.System, (done, of) => Show(progress, done, of)).RunAsync(CancellationToken.None));
        progress.Dispose();
        invocation.Print(summary, WholeSentence);
        return Complain(invocation, summary);
    }

    static string WholeSentence(JsonElement summary)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{summary.Text("data")} is as of {summary.Text("snapshot")}: {summary.Text("accounts")} accounts, {summary.Text("messages")} messages, {Sizes.Show(summary.Number("bytes"))}, every checksum right.");
        if (summary.Items("damage").Any()) text.Replace(", every checksum right", "");
        if (summary.Number("held") > 0) text.Append(CultureInfo.InvariantCulture, $"\n{summary.Text("held")} recipients in the queue are held, for their mail may have been sent since; look with \"cbamail queue list\", then \"cbamail queue release\" or \"drop\".");
        if (summary.Number("paused") > 0) text.Append(CultureInfo.InvariantCulture, $"\n{summary.Text("paused")} mailings that were under way are paused; look with \"cbamail mailing ledger\" before \"cbamail mailing resume\".");
        if (summary.True("keyMissing")) text.Append(CultureInfo.InvariantCulture, $"\nThe backup was made without keys: put the server's secrets.key into {summary.Text("data")} (mode 600) before the start. If it is lost, start the server and run \"cbamail secrets renew\": DKIM and certificate keys are made anew then, and passwords of relays must be given again.");
        foreach (var file in summary.Items("outside")) text.Append("\nKept: ").Append(file.GetString());
        return text.ToString();
    }

    static async Task<int> RestoreAccountAsync(Invocation invocation)
    {
        var order = new AccountRestoreOrder(Path.GetFullPath(invocation.Arguments[0]), invocation.Value("--account")!, invocation.Value("--mailbox"),
            invocation.Value("--at"), invocation.Value("--into"), invocation.Has("--dry-run"));
        JsonElement summary;
        if (OfflineVerify.IsServed(invocation.Data))
        {
            var body = new JsonBody().Add("directory", order.Directory).Add("account", order.Account).Add("mailbox", order.Mailbox).Add("at", order.At).Add("into", order.Into).Add("dryRun", order.DryRun);
            summary = await FollowAsync(invocation, "restores", body, "what was put back stays, and the same command goes on from there", "messages");
        }
        else
        {
            using var progress = new ProgressBar(invocation, "messages");
            var settings = Settings(invocation);
            if (!OfflineVerify.IsData(settings.Data)) throw new Refused($"There is no data directory {settings.Data}, and no server runs on it; name it with --data DIR");
            summary = Taken(await OfflineStore.RestoreAsync(settings, order, progress.Show, CancellationToken.None));
        }
        invocation.Print(summary, AccountSentence);
        return Complain(invocation, summary);
    }

    static string AccountSentence(JsonElement summary)
    {
        var would = summary.True("dryRun") ? "would be" : "were";
        var text = new StringBuilder();
        if (summary.True("created")) text.Append(CultureInfo.InvariantCulture, $"The account {summary.Text("account")} {(summary.True("dryRun") ? "would be" : "is")} made again.\n");
        text.Append(CultureInfo.InvariantCulture, $"{summary.Text("account")} as of {summary.Text("snapshot")}: {summary.Text("restored")} messages ({Sizes.Show(summary.Number("bytes"))}) {would} put back, {summary.Text("there")} are there still.");
        foreach (var mailbox in summary.Items("mailboxes").Where(mailbox => mailbox.Number("restored") > 0 || mailbox.True("created")))
            text.Append(CultureInfo.InvariantCulture, $"\n  {mailbox.Text("name")}: {mailbox.Text("restored")}{(mailbox.True("created") ? ", a new mailbox" : "")}");
        if (summary.True("overQuota")) text.Append(CultureInfo.InvariantCulture, $"\nThe account {(summary.True("dryRun") ? "would use" : "uses")} more than its quota now: raise it with \"cbamail account set {summary.Text("account")} --quota SIZE\", or new mail is refused.");
        return text.ToString();
    }

    static int List(Invocation invocation)
    {
        var listing = Taken(Listing.Of(invocation.Arguments[0]));
        invocation.Print(listing, ["SNAPSHOT", "TIME", "ACCOUNTS", "MESSAGES", "SIZE", "HOST"], snapshot =>
            [snapshot.Text("snapshot"), snapshot.Time("time"), snapshot.Text("accounts"), snapshot.Text("messages"), Sizes.Show(snapshot.Number("size")), snapshot.Text("host")]);
        var damaged = listing.EnumerateArray().Where(snapshot => snapshot.Text("program").Length == 0).SelectMany(snapshot => snapshot.Items("damage")).ToList();
        foreach (var sentence in damaged) invocation.Error.WriteLine("cbamail: " + sentence.GetString());
        return damaged.Count == 0 ? 0 : 1;
    }

    // ---- both

    static JsonElement Taken<T>(Result<T> result) where T : notnull =>
        result.Ok ? JsonSerializer.SerializeToElement(result.Value, Http.Reply.Json) : throw new Refused(result.Refusal.Sentence);

    static void Show(ProgressBar progress, long done, long of) => progress.Show(done >> 20, Math.Max(1, of >> 20));

    /// <summary>Shows how the server gets on and gives its summary.</summary>
    static async Task<JsonElement> FollowAsync(Invocation invocation, string path, JsonBody body, string again, string what = "MB")
    {
        JsonElement summary = default;
        using var progress = new ProgressBar(invocation, what);
        await foreach (var line in invocation.Server.StreamAsync(HttpMethod.Post, path, body.Content()))
        {
            if (line.TryGetProperty("error", out var error)) { progress.Dispose(); throw new Refused(error.GetString() ?? ""); }
            if (line.TryGetProperty("of", out _) && what != "MB") progress.Show(line.Number("done"), line.Number("of"));
            else if (line.TryGetProperty("of", out _)) Show(progress, line.Number("done"), line.Number("of"));
            else summary = line;
        }
        return summary.ValueKind != JsonValueKind.Undefined ? summary : throw new Refused("The server stopped before it was done; " + again);
    }
}
