using System.Text;
using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Imap;

/// <summary>A damaged message among healthy ones: these are served, and the session goes on.</summary>
[Collection("imap")]
public sealed class DamageTests(ImapFixture fixture)
{
    // 2 of 3 is damaged, in the last byte of its record
    async Task<ImapClient> InboxAsync(int size)
    {
        var account = await fixture.AccountAsync();
        var client = await fixture.SignInAsync(account);
        var text = new StringBuilder();
        for (var i = 0; text.Length < size; i++) text.Append(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(i)))).Append("\r\n");
        for (var i = 1; i <= 3; i++) await client.AppendAsync("INBOX", ImapClient.Message(i, $"body {i}\r\n{text}"));
        using (var read = fixture.Mail.Read())
        {
            var inbox = read.Find(account.Id, "INBOX")!;
            var row = read.Message(inbox.Id, 2)!.Value;
            var location = VerifyTable.Get(read.Transaction, CbaMail.Storage.Blobs.RecordKind.Content, row.ContentId)!;
            var at = location.Parts.Length > 0 ? VerifyTable.Get(read.Transaction, CbaMail.Storage.Blobs.RecordKind.Object, location.Parts[2])!.Location : location.Location;
            using var file = new FileStream(Path.Combine(fixture.Settings.Data, "packs", at.Pack.ToString("d8", null) + ".pack"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            file.Position = at.Position + at.Stored - 1;
            var value = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(value ^ 1));
        }
        await client.OkAsync("SELECT INBOX");
        return client;
    }

    [Theory]
    [InlineData(400)]     // read at once
    [InlineData(100_000)] // streamed
    public async Task The_others_are_served_and_the_answer_names_the_damaged_one(int size)
    {
        await using var client = await InboxAsync(size);
        var lines = await client.CommandAsync("FETCH 1:3 (UID FLAGS BODY.PEEK[])");
        Assert.StartsWith("NO [SERVERBUG] The body of UID 2 is damaged", lines[^1], StringComparison.Ordinal);
        Assert.Contains("body 1", lines);
        Assert.Contains("* 2 FETCH (UID 2 FLAGS (\\Recent))", lines);
        Assert.Contains("body 3", lines);
        Assert.Contains("UID 2 cannot be read", Assert.Single(client.TakeErrors()), StringComparison.Ordinal);
        Assert.StartsWith("OK", await client.TaggedAsync("NOOP"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_stands_in_the_row_is_still_served()
    {
        await using var client = await InboxAsync(400);
        var lines = await client.OkAsync("FETCH 2 (ENVELOPE FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE PREVIEW)");
        Assert.Contains("\"Number 2\"", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_can_be_copied_flagged_and_expunged_and_a_search_passes_over_it()
    {
        await using var client = await InboxAsync(400);
        Assert.Equal(["* SEARCH 1 3"], await client.OkAsync("SEARCH BODY body"));
        await client.OkAsync("COPY 2 Archive");
        await client.OkAsync("STORE 2 +FLAGS (\\Deleted)");
        Assert.Contains("* 2 EXPUNGE", await client.OkAsync("EXPUNGE"));
    }
}
