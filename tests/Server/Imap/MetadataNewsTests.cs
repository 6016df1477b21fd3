using CbaMail.Directory;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>Annotations that others change (RFC 5464 4.4.2; RFC 5465 5.6, 5.7).</summary>
[Collection("imap")]
public sealed class MetadataNewsTests(ImapFixture fixture)
{
    [Fact]
    public async Task Whoever_has_enabled_it_hears_the_names_with_his_next_command()
    {
        Account anna = await fixture.AccountAsync(), boris = await fixture.AccountAsync();
        await using var one = await fixture.SignInAsync(anna);
        await using var other = await fixture.SignInAsync(anna);
        await using var guest = await fixture.SignInAsync(boris);
        await one.OkAsync($"SETACL Sent {boris.Address} lrw");
        await other.OkAsync("ENABLE METADATA");
        await guest.OkAsync("ENABLE METADATA");
        await one.OkAsync("SETMETADATA Sent (/shared/comment \"one\" /private/comment \"two\")");
        await one.OkAsync("SETMETADATA Sent (/shared/comment \"three\")");
        Assert.Equal(["* METADATA Sent /shared/comment /private/comment"], await other.OkAsync("NOOP"));
        Assert.Equal([$"* METADATA \"Other Users/{anna.Address}/Sent\" /shared/comment"], await guest.OkAsync("NOOP")); // what is private is not his
        Assert.Empty(await other.OkAsync("NOOP"));
        Assert.Empty(await one.OkAsync("NOOP")); // has not enabled it
        // of what he may not read he hears nothing
        await one.OkAsync($"SETACL Sent {boris.Address} r");
        await one.OkAsync("SETMETADATA Sent (/shared/comment NIL)");
        Assert.Empty(await guest.OkAsync("NOOP"));
        Assert.Equal(["* METADATA Sent /shared/comment"], await other.OkAsync("NOOP")); // removed is changed
        // IDLE
        await other.SendAsync("i IDLE\r\n");
        Assert.StartsWith("+", await other.LineAsync(), StringComparison.Ordinal);
        await one.OkAsync("SETMETADATA \"\" (/private/comment \"of the server\")");
        Assert.Equal("* METADATA \"\" /private/comment", await other.LineAsync());
        await other.SendAsync("DONE\r\n");
        await other.UntilAsync("i");
        // RFC 8437 2: as before
        await other.OkAsync("UNAUTHENTICATE");
        await other.OkAsync($"LOGIN {anna.Address} \"{ImapFixture.Password}\"");
        await one.OkAsync("SETMETADATA Sent (/shared/comment \"four\")");
        Assert.Empty(await other.OkAsync("NOOP"));
    }

    [Fact]
    public async Task Notify_tells_of_the_mailboxes_it_names_at_once()
    {
        var account = await fixture.AccountAsync();
        await using var one = await fixture.SignInAsync(account);
        await using var watching = await fixture.SignInAsync(account);
        await watching.OkAsync("NOTIFY SET (MAILBOXES (Sent) (MailboxMetadataChange)) (PERSONAL (MailboxName ServerMetadataChange))");
        await one.OkAsync("SETMETADATA Drafts (/shared/comment \"not asked for\")");
        await one.OkAsync("SETMETADATA Sent (/shared/comment \"x\")");
        Assert.Equal("* METADATA Sent /shared/comment", await watching.LineAsync());
        await one.OkAsync("SETMETADATA \"\" (/private/vendor/cba/colour \"blue\")");
        Assert.Equal("* METADATA \"\" /private/vendor/cba/colour", await watching.LineAsync());
        // the server's alone
        await watching.OkAsync("NOTIFY SET (PERSONAL (ServerMetadataChange))");
        await one.OkAsync("SETMETADATA Sent (/shared/comment \"y\")");
        await one.OkAsync("SETMETADATA \"\" (/private/vendor/cba/colour NIL)");
        Assert.Equal("* METADATA \"\" /private/vendor/cba/colour", await watching.LineAsync());
        await watching.OkAsync("NOTIFY NONE");
        await one.OkAsync("SETMETADATA \"\" (/private/comment \"z\")");
        Assert.Empty(await watching.OkAsync("NOOP"));
    }
}
