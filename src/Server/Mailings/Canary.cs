using System.Globalization;
using CbaMail.Courses;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>The first copies of a mailing, which say whether the rest goes.</summary>
/// <param name="First">How many go first, besides <paramref name="Seeds"/>.</param>
/// <param name="WaitMinutes">After the last of them.</param>
/// <param name="MostPercent">How many of them may be deferred, come back or be complained about.</param>
/// <param name="Seeds">Addresses of people whose copies go first.</param>
public sealed record Canary(int First = 20, int WaitMinutes = 30, int MostPercent = 5, IReadOnlyList<string>? Seeds = null)
{
    const int MostFirst = 10_000, LongestWait = 10_080;

    internal Refusal? Fault => First is < 0 or > MostFirst || First == 0 && Seeds is not { Count: > 0 } || WaitMinutes is < 0 or > LongestWait || MostPercent is < 0 or > 100
        ? Refusal.Invalid.Because($"A canary has up to {MostFirst} first copies, waits up to {LongestWait} minutes, and stops beyond 0 to 100 percent").At("canary") : null;

    /// <summary>Those whose copies go first, then the others; and how many go first.</summary>
    internal (List<Participant> People, int First) Order(List<Participant> people, Func<Participant, bool> isSkipped)
    {
        var seeds = (Seeds ?? []).Select(one => MailAddress.TryParse(one.Trim(), out var parsed) ? parsed.Key : "").ToHashSet(StringComparer.Ordinal);
        bool IsSeed(Participant person) => MailAddress.TryParse(person.Address, out var parsed) && seeds.Contains(parsed.Key) && !isSkipped(person);
        var ordered = people.OrderBy(person => IsSeed(person) ? 0 : 1).ToList(); // stable
        return (ordered, ordered.Count(IsSeed) + First);
    }
}

/// <summary>How a mailing's first copies did.</summary>
/// <param name="State">waiting, stopped, passed.</param>
/// <param name="Sentence">Why it stopped, or empty.</param>
/// <param name="Bad">Of them deferred, come back or complained about.</param>
public sealed record CanaryView(int First, int WaitMinutes, int MostPercent, string State, string Sentence, int Copies, int Bad);

/// <summary>Judges first copies: lets the rest go, or pauses the mailing. Whoever resumes it sends the rest.</summary>
public sealed class CanaryWatch(Store store, PressRoom press, TimeProvider time)
{
    static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    public Result<CanaryView> Of(long mailing)
    {
        using var read = store.Read();
        return CanaryTable.Of(read.Prepare, mailing, out _, out _) is { } view ? view : Refusal.NoSuchThing.Because($"Mailing {mailing} has no canary");
    }

    /// <returns>When to look again; null: nothing waits.</returns>
    public async Task<DateTimeOffset?> WakeAsync(CancellationToken cancel)
    {
        List<(long Mailing, string State)> open;
        using (var read = store.Read()) open = CanaryTable.Open(read);
        foreach (var (mailing, _) in open)
        {
            var stopped = await store.CommitAsync(write => Judge(write, mailing), cancel);
            if (stopped) await press.PauseAsync(mailing, cancel); // looked at again after a crash between the two
        }
        return open.Count > 0 ? time.GetUtcNow() + Look : null;
    }

    bool Judge(WriteTransaction write, long mailing)
    {
        if (CanaryTable.Of(write.Prepare, mailing, out var waiting, out var last) is not { } view || view.State == "passed") return false;
        if (view.State == "stopped") return true;
        if (view.Bad * 100 > view.Copies * view.MostPercent)
        {
            CanaryTable.Stop(write, mailing, string.Create(CultureInfo.InvariantCulture,
                $"{view.Bad} of the first {view.Copies} copies were deferred, came back or were complained about, which is more than {view.MostPercent} %"));
            return true;
        }
        if (waiting > 0 || last is { } at && time.GetUtcNow() < at.AddMinutes(view.WaitMinutes)) return false;
        CanaryTable.Pass(write, mailing, "waiting");
        press.Touch(write);
        return false;
    }
}
