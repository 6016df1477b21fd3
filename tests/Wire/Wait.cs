using System.Diagnostics;
using Xunit;

namespace CbaMail.Tests.Wire;

/// <summary>Waiting for a condition instead of for a time.</summary>
internal static class Wait
{
    public static async Task UntilAsync(Func<Task<bool>> holds, string what, double seconds = 30)
    {
        var clock = Stopwatch.StartNew();
        while (!await holds())
        {
            if (clock.Elapsed.TotalSeconds > seconds) Assert.Fail($"within {seconds:0} s it did not happen: {what}");
            await Task.Delay(20);
        }
    }

    public static Task UntilAsync(Func<bool> holds, string what, double seconds = 30) => UntilAsync(() => Task.FromResult(holds()), what, seconds);
}
