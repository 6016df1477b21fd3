using System.Diagnostics;
using Xunit;

namespace CbaMail.Tests.Wire;

/// <summary>Waiting for a condition instead of for a time.</summary>
internal static class Wait
{
    /// <summary>After it something hangs. A guard and no measure: the slowest machine must not come near it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <param name="tell">What a failure is to say besides.</param>
    public static async Task UntilAsync(Func<Task<bool>> holds, string what, double seconds = 30, Func<Task<string>>? tell = null)
    {
        var (clock, began) = (Stopwatch.StartNew(), TimeSpan.Zero);
        while (!await holds())
        {
            var asked = clock.Elapsed - began;
            if (clock.Elapsed.TotalSeconds > seconds) Assert.Fail($"within {seconds:0} s it did not happen: {what}{(tell is null ? "" : "\n" + await tell())}");
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp(asked.TotalMilliseconds, 20, 200))); // a dear question, a program that starts, is asked less often
            began = clock.Elapsed;
        }
    }

    public static Task UntilAsync(Func<bool> holds, string what, double seconds = 30) => UntilAsync(() => Task.FromResult(holds()), what, seconds);
}
