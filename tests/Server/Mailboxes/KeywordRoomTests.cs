using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes;

/// <summary>However many keywords clients invent, what a session keeps of a mailbox has a bound.</summary>
public sealed class KeywordRoomTests : IAsyncDisposable
{
    readonly VaultFixture vault = new();

    static string[] Set(int number) => [.. Enumerable.Range(0, Keywords.Most).Select(i => $"k{number:D30}-{i:D31}")];

    static string Text(int number) => Keywords.Of(Set(number))!;

    async Task<string?> StoreAsync(long mailbox, uint uid, FlagMode mode, params string[] keywords) =>
        (await vault.Mail.StoreAsync(mailbox, [uid], new FlagChange(mode, MessageFlags.None, keywords), null, default)).Value!.Changed[0].Keywords;

    [Fact]
    public async Task A_message_has_64_keywords_at_most()
    {
        var (_, inbox) = await vault.AccountAsync();
        await vault.AppendAsync(inbox, VaultFixture.Message(1));
        await StoreAsync(inbox, 1, FlagMode.Add, Set(1)[..60]);
        Assert.Equal(Text(1), await StoreAsync(inbox, 1, FlagMode.Add, [.. Set(1)[60..], .. Set(2)]));
    }

    [Fact]
    public async Task Above_the_bound_of_a_mailbox_messages_keep_the_keywords_they_have()
    {
        var (account, inbox) = await vault.AccountAsync();
        using var staged = vault.Mail.Stage(VaultFixture.Message(1));
        var uploads = Enumerable.Range(0, 70).Select(i => new Upload(staged, MessageFlags.None, Set(i), null)).ToList();
        await vault.Mail.AppendAsync(inbox, uploads, 0, default);
        int fit;
        using (var read = vault.Mail.Read())
        {
            var kept = read.Messages(inbox).Select(row => row.Keywords).ToList();
            fit = kept.IndexOf(null);
            Assert.InRange(kept.Take(fit).Sum(set => set!.Length), KeywordRoom.MostBytes * 0.9, KeywordRoom.MostBytes);
            Assert.All(kept.Skip(fit), Assert.Null);
        }
        var full = (uint)fit + 1; // the first without
        for (var again = 0; again < 2; again++)
        {
            Assert.Null(await StoreAsync(inbox, full, FlagMode.Add, Set(99)));
            Assert.Equal(Text(3), await StoreAsync(inbox, full, FlagMode.Set, Set(3)));
            Assert.Equal(Text(3), await StoreAsync(inbox, full, FlagMode.Set, Set(99)));
            Assert.Null(await StoreAsync(inbox, full, FlagMode.Set));
            await vault.RestartAsync(); // and then it is looked up
        }

        // another mailbox has room of its own
        var archive = (await vault.Mail.CreateAsync(account, "Full", null, default)).Value!.Id;
        await vault.Mail.CopyAsync(inbox, [1, 2], archive, 0, default);
        using (var read = vault.Mail.Read()) Assert.Equal([Text(0), Text(1)], read.Messages(archive).Select(row => row.Keywords));

        // what is copied finds no more room than what is stored
        Assert.Equal(Text(99), await StoreAsync(archive, 1, FlagMode.Set, Set(99)));
        var copied = (await vault.Mail.CopyAsync(archive, [1], inbox, 0, default)).Value!;
        using (var read = vault.Mail.Read()) Assert.Null(read.Message(inbox, copied.Pairs[0].Destination)!.Value.Keywords);
    }

    public ValueTask DisposeAsync() => vault.DisposeAsync();
}
