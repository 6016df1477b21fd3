using CbaMail.Http;
using Xunit;

namespace CbaMail.Tests.Server.Http;

public class PathLocksTests
{
    [Fact]
    public async Task Changes_of_one_thing_take_turns_those_of_others_do_not_and_nothing_is_left()
    {
        var turns = new PathLocks();
        var (first, done) = (new TaskCompletionSource(), new List<string>());
        var one = turns.RunAsync("/accounts/anna", async () => { await first.Task; done.Add("one"); }, default);
        var two = turns.RunAsync("/Accounts/Anna", () => { done.Add("two"); return Task.CompletedTask; }, default);
        await turns.RunAsync("/accounts/boris", () => { done.Add("other"); return Task.CompletedTask; }, default);
        Assert.Equal(["other"], done);
        first.SetResult();
        await Task.WhenAll(one, two);
        Assert.Equal(["other", "one", "two"], done);
        await Assert.ThrowsAsync<InvalidOperationException>(() => turns.RunAsync("/accounts/anna", () => throw new InvalidOperationException(), default));
        Assert.Equal(0, turns.Count);
    }
}
