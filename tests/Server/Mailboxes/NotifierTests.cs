using CbaMail.Mailboxes;
using Xunit;

namespace CbaMail.Tests.Server.Mailboxes;

public sealed class NotifierTests
{
    readonly Notifier notifier = new();
    readonly List<string> heard = [];

    Action<Change> Hears(string who) => change => heard.Add($"{who} {change.MailboxId}");

    [Fact]
    public void Everybody_hears_of_what_he_listens_to()
    {
        using var one = notifier.Subscribe(7, Hears("one"));
        using var other = notifier.Subscribe(8, Hears("other"));
        using var all = notifier.SubscribeAll(Hears("all"));
        using var account = notifier.SubscribeAccount(1, () => heard.Add("account"));
        notifier.Publish(new Change(1, 7, 1));
        notifier.Publish(new Change(2, 9, 1));
        notifier.NamesChanged(1);
        Assert.Equal(["one 7", "all 7", "account", "all 9", "account"], heard);
    }

    [Fact]
    public void Who_has_left_hears_no_more_and_leaves_once()
    {
        var listener = Hears("both");
        var one = notifier.Subscribe(7, listener);
        using var other = notifier.Subscribe(7, listener);
        one.Dispose();
        one.Dispose();
        notifier.Publish(new Change(1, 7, 1));
        Assert.Equal(["both 7"], heard);
        other.Dispose();
        notifier.Publish(new Change(1, 7, 2));
        using var late = notifier.Subscribe(7, Hears("late"));
        notifier.Publish(new Change(1, 7, 3));
        Assert.Equal(["both 7", "late 7"], heard);
    }

    [Fact]
    public void One_may_leave_or_come_while_all_are_told()
    {
        var seats = new List<IDisposable>();
        for (var i = 0; i < 3; i++)
            seats.Add(notifier.Subscribe(7, _ =>
            {
                heard.Add("told");
                seats[heard.Count - 1].Dispose();
                if (heard.Count == 1) seats.Add(notifier.Subscribe(7, Hears("new")));
            }));
        notifier.Publish(new Change(1, 7, 1));
        notifier.Publish(new Change(1, 7, 2));
        Assert.Equal(["told", "told", "told", "new 7"], heard);
    }

    [Fact]
    public void Thousands_come_to_one_mailbox_and_take_memory_by_their_number()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var seats = Enumerable.Range(0, 5000).Select(_ => notifier.Subscribe(7, Hears("each"))).ToList();
        notifier.Publish(new Change(1, 7, 1));
        foreach (var seat in seats) seat.Dispose();
        Assert.Equal(5000, heard.Count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10 << 20); // a copy of the list for each would be 200 MB
    }
}
