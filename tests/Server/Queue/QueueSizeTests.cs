using System.Diagnostics;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Queue;
using CbaMail.Tests.Server.Mailboxes;
using CbaMail.Tests.Wire;
using Xunit;

namespace CbaMail.Tests.Server.Queue;

/// <summary>A queue of 100,000 recipients is searched in the time that one waits for, and page by page.</summary>
public sealed class QueueSizeTests(ITestOutputHelper output) : IAsyncDisposable
{
    readonly VaultFixture vault = new();

    public ValueTask DisposeAsync() => vault.DisposeAsync();

    [Fact]
    public async Task A_hundred_thousand_are_searched_at_once_and_held_in_pieces()
    {
        var queue = new MailQueue(vault.Store, vault.Mail, new ManualTime(), new Settings());
        MailAddress.TryParse("anna@example.test", out var anna);
        for (var piece = 0; piece < 100; piece++)
            await vault.Store.CommitAsync(transaction =>
            {
                using var staged = vault.Mail.Stage(VaultFixture.Message(1));
                var content = vault.Mail.AddContent(transaction, staged);
                for (var i = 0; i < 1000; i++)
                    queue.Enqueue(transaction, new NewQueueEntry(anna, content, [new QueueRecipient(new MailAddress($"u{piece}-{i}", $"d{i % 50}.test"))]) { MessageId = $"{piece}-{i}@example.test", Subject = "news" });
                return true;
            }, TestContext.Current.CancellationToken);
        var watch = Stopwatch.StartNew();
        Assert.Single(queue.Find(new QueueFilter { To = "u99-999@*" }));
        output.WriteLine($"one of 100,000 by its recipient: {watch.ElapsedMilliseconds} ms");
        watch.Restart();
        Assert.Equal(1000, queue.Find(new QueueFilter { Domain = "d7.test" }, limit: 1000).Count);
        output.WriteLine($"a page of a domain: {watch.ElapsedMilliseconds} ms");
        watch.Restart();
        Assert.Equal(100, queue.Find(new QueueFilter(), after: 90_000, limit: 100).Count);
        output.WriteLine($"a late page of all: {watch.ElapsedMilliseconds} ms");
        watch.Restart();
        Assert.Equal(new QueueDeedReport(2000, 2000), await queue.ApplyAsync(QueueDeed.Hold, new QueueFilter { Domain = "d7.test" }, cancel: TestContext.Current.CancellationToken));
        output.WriteLine($"2,000 held: {watch.ElapsedMilliseconds} ms");
    }
}
