using System.Runtime.InteropServices;

namespace CbaMail.Net;

/// <summary>
/// Says when the thread that has answered a peer may look out for his next bytes for a moment, before it lets its processor fall asleep over
/// them. A peer on this machine answers within that moment, and to wake a processor takes as long, of a virtual machine above all: without it
/// one session got a quarter less mail through, for the same CPU.
/// </summary>
/// <remarks>
/// Only while a single peer speaks, and only while it pays. Every look is counted: one that brings bytes for it; one that brings nothing, as
/// of a peer beyond a network, against it; and doubly so one whose thread lost its processor to somebody else, for on a busy machine who looks
/// keeps others, the peer among them, from what they would do. When more speaks against looking than for it there is a rest, each twice as long
/// as the one before, after which a few are tried. So a server that nobody talks to never looks, and one for which it is of no use looks
/// for four milliseconds a second at most; a burst that comes after such a time is looked out for within a fifth of a second.
/// </remarks>
sealed partial class Lookout
{
    const int Most = 32;        // looks in a row that brought something: more of them prove no more
    const int Trial = 16;       // after a rest: the first look finds the peer's processor asleep, too, and alone proves nothing
    const int Nothing = 2, Taken = 8;
    static readonly TimeSpan Moment = TimeSpan.FromMicroseconds(100);
    static readonly TimeSpan Together = TimeSpan.FromMilliseconds(5); // who has spoken within that time speaks still
    static readonly TimeSpan ShortRest = TimeSpan.FromMilliseconds(5), LongRest = TimeSpan.FromMilliseconds(200);

    readonly TimeProvider time;
    readonly Func<long> taken;
    readonly bool allowed;
    readonly Wakefulness? wakefulness;
    ulong speaker, other;   // who was served last, and the one before him if he is still there
    long changed;           // when that one was
    long began, rested;
    int score = Trial;
    TimeSpan rest = ShortRest;
    int thread;             // that looked last
    long lost;              // how often it had lost its processor then

    /// <param name="processors">Those that this process may use, a part of one included; with less than two nobody looks, for the peer needs the other.</param>
    /// <param name="taken">How often the thread that asks lost its processor.</param>
    /// <param name="wakefulness">Hears of looks that paid; null where the machine may sleep as it likes.</param>
    public Lookout(TimeProvider time, double processors, Func<long>? taken = null, Wakefulness? wakefulness = null) =>
        (this.time, this.taken, allowed, this.wakefulness) = (time, taken ?? Switches, processors >= 2, wakefulness);

    /// <summary>Whether who has answered this peer may look. Called for every answer: who speaks is learnt from it.</summary>
    /// <param name="alone">No other thread serves anybody.</param>
    public bool Begins(ulong number, bool alone)
    {
        if (!allowed) return false;
        var now = time.GetTimestamp();
        if (Volatile.Read(ref speaker) is var before && before != number)
        {
            if (before != 0) (other, changed) = (before, now);
            Volatile.Write(ref speaker, number);
        }
        if (!alone || now < rested || (other != 0 && time.GetElapsedTime(changed, now) < Together)) return false;
        began = now;
        return true;
    }

    /// <summary>Whether it may look once more.</summary>
    public bool GoesOn(bool alone) => alone && time.GetElapsedTime(began) < Moment;

    /// <summary>It has ended, by bytes or without any.</summary>
    public void Ends(bool found)
    {
        var (now, times) = (time.GetTimestamp(), taken());
        var wasTaken = (thread == Environment.CurrentManagedThreadId && times != lost) || time.GetElapsedTime(began, now) >= Moment * 2;
        (thread, lost) = (Environment.CurrentManagedThreadId, times);
        score = wasTaken ? score - Taken : found ? Math.Min(Most, score + 1) : score - Nothing;
        if (score == Most)
        {
            rest = ShortRest;
            if (found) wakefulness?.Paid();
        }
        if (score > 0) return;
        score = Trial;
        rested = now + (long)(rest.TotalSeconds * time.TimestampFrequency);
        rest = rest * 2 < LongRest ? rest * 2 : LongRest;
    }

    /// <summary>A peer is gone.</summary>
    public void Forget(ulong number)
    {
        Interlocked.CompareExchange(ref speaker, 0, number);
        Interlocked.CompareExchange(ref other, 0, number);
    }

    // getrusage(2) of the calling thread: involuntary context switches, the last number of struct rusage
    static unsafe long Switches()
    {
        var usage = stackalloc long[18];
        return getrusage(1, usage) == 0 && IntPtr.Size == 8 ? usage[17] : 0;
    }

    [LibraryImport("libc")] private static unsafe partial int getrusage(int who, long* usage);
}
