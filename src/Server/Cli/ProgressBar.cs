using System.Globalization;

namespace CbaMail.Cli;

/// <summary>Progress on standard error: a bar on a terminal, a plain line at each tenth in a pipe, nothing beside JSON.</summary>
public sealed class ProgressBar(Invocation invocation, string what) : IDisposable
{
    const int Width = 40;
    readonly bool terminal = ReferenceEquals(invocation.Error, Console.Error) && !Console.IsErrorRedirected;
    int tenth;
    bool drawn;

    public void Show(long done, long of)
    {
        if (invocation.Json || of <= 0) return;
        done = Math.Min(done, of);
        if (terminal)
        {
            var full = (int)(done * Width / of);
            invocation.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\r[{new string('#', full)}{new string('.', Width - full)}] {done}/{of} {what}"));
            invocation.Error.Flush();
            drawn = true;
        }
        else if (done * 10 / of > tenth)
        {
            tenth = (int)(done * 10 / of);
            invocation.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done} of {of} {what}"));
        }
    }

    public void Dispose()
    {
        if (drawn) invocation.Error.WriteLine();
        drawn = false;
    }
}
