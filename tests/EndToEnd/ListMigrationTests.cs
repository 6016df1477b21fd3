using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.EndToEnd;

/// <summary>Lists of mlmmj and Mailman 3 are taken over by the command line.</summary>
public sealed class ListMigrationTests : IAsyncLifetime
{
    const string Anna = "anna@school.test", Club = "club@school.test";
    readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-lists-").FullName;
    TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await TestServer.StartAsync("");
        await server.AddAccountsAsync(Anna);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        System.IO.Directory.Delete(folder, recursive: true);
    }

    string Put(string path, string text)
    {
        var file = Path.Combine(folder, path);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        return file;
    }

    async Task<string> ImportAsync(string path, params string[] more) => (await server.CliAsync(["list", "import", Club, path, .. more])).Succeeded().All;

    [Fact]
    public async Task A_spool_of_mlmmj_becomes_a_list_with_its_members_settings_and_archive()
    {
        Put("spool/subscribers.d/a", "anna@school.test\nboris@elsewhere.test\n");
        Put("spool/subscribers.d/c", "clara@elsewhere.test\n");
        Put("spool/digesters.d/d", "dora@elsewhere.test\n");
        Put("spool/nomailsubs.d/c", "clara@elsewhere.test\n");
        foreach (var (name, text) in new[] { ("listaddress", Club), ("owner", Anna + "\n"), ("moderators", "boris@elsewhere.test\n"), ("prefix", "[Club]\n"), ("footer", "Chess\non Fridays\n"), ("maxmailsize", "200000\n"), ("subonlypost", ""), ("closedlistsub", ""), ("customheaders", "Reply-To: club@school.test\nX-Club: chess\n"), ("notifymod", "") })
            Put("spool/control/" + name, text);
        Put("spool/archive/2", "From: boris@elsewhere.test\nSubject: two\nMessage-ID: <two@x>\n\nFrom here on\n");
        Put("spool/archive/10", "From: clara@elsewhere.test\nSubject: ten\nMessage-ID: <ten@x>\n\ntext\n");
        Put("spool/text/sub-ok", "Welcome");
        var spool = Path.Combine(folder, "spool");

        var would = await ImportAsync(spool, "--dry-run");
        Assert.Contains("would be made", would, StringComparison.Ordinal);
        Assert.Contains("4 members and 2 letters", would, StringComparison.Ordinal);
        Assert.False((await server.CliAsync("list", "show", Club)).ExitCode == 0);

        var done = await ImportAsync(spool);
        Assert.Contains("4 added, 0 changed, 0 unchanged, 0 left out.", done, StringComparison.Ordinal);
        Assert.Contains("2 letters added, 0 known, 0 left out.", done, StringComparison.Ordinal);
        foreach (var left in new[] { "text/: left out", "control/notifymod: left out", "no field \"X-Club: chess\"" }) Assert.Contains(left, done, StringComparison.Ordinal);
        var list = (await server.CliAsync("list", "show", Club)).Succeeded().Output;
        foreach (var (name, value) in new[] { ("Posters", "members"), ("Moderation", "none"), ("Subscription", "closed"), ("Owners", Anna), ("Moderators", "boris@elsewhere.test"), ("Prefix", "[Club]"), ("Reply to", "list"), ("Max size", "200000"), ("Archive", "members") })
            Assert.Matches($@"(?m)^{name}\s+{System.Text.RegularExpressions.Regex.Escape(value)}\s*$", list);
        var members = (await server.CliAsync("list", "members", Club)).Succeeded().Output;
        foreach (var (address, mode) in new[] { (Anna, "normal"), ("clara@elsewhere.test", "nomail"), ("dora@elsewhere.test", "digest") }) Assert.Matches($@"{address}\s+{mode}\s", members);

        var again = await ImportAsync(spool);
        Assert.Contains("0 settings changed", again, StringComparison.Ordinal);
        Assert.Contains("0 added, 0 changed, 4 unchanged", again, StringComparison.Ordinal);
        Assert.Contains("0 letters added, 2 known", again, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_of_Mailman_3_is_taken_over_from_what_its_REST_interface_says()
    {
        var config = Put("config.json", """{"display_name": "Club", "subject_prefix": "[Club] ", "preferred_language": "ru", "subscription_policy": "confirm_then_moderate", "archive_policy": "private", "default_member_action": "defer", "default_nonmember_action": "hold", "reply_goes_to_list": "point_to_list", "max_message_size": 40, "max_num_recipients": 10, "bounce_info_stale_after": "7d", "emergency": true, "http_etag": "x"}""");
        var would = await ImportAsync(config, "--dry-run");
        Assert.Contains("prefix: nothing -> \"[Club]\"", would, StringComparison.Ordinal);
        Assert.Contains("emergency: left out", await ImportAsync(config), StringComparison.Ordinal);
        var list = (await server.CliAsync("list", "show", Club)).Succeeded().Output;
        foreach (var (name, value) in new[] { ("Language", "ru"), ("Posters", "members"), ("Moderation", "strangers"), ("Subscription", "approval"), ("Archive", "members"), ("Max size", "40960"), ("Bounce days", "7") }) Assert.Matches($@"(?m)^{name}\s+{value}\s*$", list);
        Assert.Contains("0 settings changed", await ImportAsync(config), StringComparison.Ordinal);

        var roster = Put("roster.json", """{"start": 0, "entries": [{"address": "http://x/addresses/boris", "email": "boris@x.test", "display_name": "Boris", "delivery_mode": "mime_digests", "role": "member"}, {"email": "anna@school.test", "delivery_mode": "regular", "role": "owner"}]}""");
        Assert.Contains("+ boris@x.test", await ImportAsync(roster, "--dry-run"), StringComparison.Ordinal);
        Assert.Contains("2 added", await ImportAsync(roster), StringComparison.Ordinal);
        var mbox = Put("club.mbox", "From a Thu\nFrom: anna@school.test\nMessage-ID: <one@x>\nSubject: one\n\ntext\n");
        Assert.Contains("1 letters added, 0 known, 0 left out; nothing was done.", await ImportAsync(mbox, "--dry-run"), StringComparison.Ordinal);
        Assert.Contains("1 letters added", await ImportAsync(mbox), StringComparison.Ordinal);
        Assert.Contains("0 letters added, 1 known", await ImportAsync(mbox), StringComparison.Ordinal);
    }
}
