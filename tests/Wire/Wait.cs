using System.Diagnostics;
using Xunit;

namespace CbaMail.Tests.Wire;

/// <summary>Waiting for a condition instead of for a time.</summary>
internal static class Wait
{
    public static async Task UntilAsync(Func<Task<bool>> holds, string what, double seconds = 30)
    {
        var (clock, began) = (Stopwatch.StartNew(), TimeSpan.Zero);
        while (!await holds())
        {
            var asked = clock.Elapsed - began;
            if (clock.Elapsed.TotalSeconds > seconds) Assert.Fail($"within {seconds:0} s it did not happen: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp(asked.TotalMilliseconds, 20, 200))); // a dear question, a program that starts, is asked less often
            began = clock.Elapsed;
        }
    }

    public static Task UntilAsync(Func<bool> holds, string what, double seconds = 30) => UntilAsync(() => Task.FromResult(holds()), what, seconds);
}
