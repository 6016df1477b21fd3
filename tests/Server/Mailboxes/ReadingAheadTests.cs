using CbaMail.Mailboxes;
using CbaMail.Storage.Blobs;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes;

public sealed class ReadingAheadTests : IAsyncLifetime
{
    readonly VaultFixture vault = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;
    public ValueTask DisposeAsync() => vault.DisposeAsync();

    [Fact]
    public async Task Whoever_goes_through_a_list_finds_every_body_as_it_was_stored()
    {
        var (_, inbox) = await vault.AccountAsync();
        for (var i = 0; i < 60; i++) await vault.AppendAsync(inbox, VaultFixture.Message(i, 200 + 700 * i));
        var contents = Contents(inbox);
        contents.Insert(7, null); // one that is lost
        using var ahead = new ReadingAhead(contents, whole: true);
        var found = new List<byte[]>();
        for (var i = 0; i < contents.Count; i++)
        {
            ahead.Reach(i);
            if (contents[i] is not { } content) continue;
            content.Open();
            found.Add(content.Read(0, (int)content.Size));
            content.Close();
        }
        Assert.Equal(Enumerable.Range(0, 60).Select(i => VaultFixture.Message(i, 200 + 700 * i)), found);
    }

    [Fact]
    public async Task Damage_is_told_to_whoever_reads_the_body_and_to_nobody_before()
    {
        var (_, inbox) = await vault.AccountAsync();
        for (var i = 0; i < 3; i++) await vault.AppendAsync(inbox, VaultFixture.Message(i, 4000));
        PackLocation place;
        using (var read = vault.Mail.Read()) place = ContentTable.BodyLocation(read.Transaction, read.Message(inbox, 2)!.Value.ContentId)!.Value;
        await vault.RestartAsync();
        await vault.CrashAsync(pack =>
        {
            pack.Position = place.Position + place.Stored - 100;
            var was = pack.ReadByte();
            pack.Position--;
            pack.WriteByte((byte)(was ^ 1));
        });
        var contents = Contents(inbox);
        foreach (var content in contents) content!.Prepare(whole: true);
        Assert.Equal(VaultFixture.Message(0, 4000), contents[0]!.Read(0, (int)contents[0]!.Size));
        Assert.Throws<DamageError>(() => contents[1]!.Read(0, 100));
        foreach (var content in contents) content!.Close();
    }

    [Fact]
    public async Task A_body_that_its_reader_has_done_with_is_not_opened_again()
    {
        var (_, inbox) = await vault.AccountAsync();
        await vault.AppendAsync(inbox, VaultFixture.Message(1, 4000));
        var content = Contents(inbox)[0]!;
        content.Open();
        content.Close();
        content.Prepare(whole: true);
        Assert.False(content.IsOpen);
    }

    List<MessageContent?> Contents(long mailbox)
    {
        using var read = vault.Mail.Read();
        return [.. read.Messages(mailbox).Select(row => read.Content(mailbox, row))];
    }
}
