using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Mailings;

/// <summary>The SQL of canaries. Who waits for the first copies does so until an hour that never comes.</summary>
static class CanaryTable
{
    static readonly DateTimeOffset Never = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Has all but the first wait.</summary>
    public static void Begin(WriteTransaction write, long mailing, Canary canary, int first)
    {
        write.Prepare("INSERT INTO mailing_canary (mailing_id, first, wait, most, state) VALUES (?,?,?,?,'waiting')").Bind(1, mailing).Bind(2, (long)first).Bind(3, (long)canary.WaitMinutes).Bind(4, (long)canary.MostPercent).Run();
        write.Prepare("UPDATE ledger SET not_before = ?1, reply = 'waits for the first copies' WHERE mailing_id = ?2 AND state = 'rendered' AND id NOT IN (SELECT id FROM ledger WHERE mailing_id = ?2 AND state = 'rendered' ORDER BY id LIMIT ?3)")
            .Bind(1, Never).Bind(2, mailing).Bind(3, (long)first).Run();
    }

    /// <summary>Those of mailings under way that have not passed.</summary>
    public static List<(long Mailing, string State)> Open(ReadTransaction read)
    {
        var open = new List<(long, string)>();
        using var row = read.Prepare("SELECT c.mailing_id, c.state FROM mailing_canary c JOIN mailing m ON m.id = c.mailing_id WHERE c.state <> 'passed' AND m.state = 'sending'");
        while (row.Step()) open.Add((row.Int64(0), row.String(1)));
        return open;
    }

    public static CanaryView? Of(Func<string, Statement> prepare, long mailing, out int waiting, out DateTimeOffset? last)
    {
        (waiting, last) = (0, null);
        CanaryView view;
        using (var row = prepare("SELECT first, wait, most, state, sentence FROM mailing_canary WHERE mailing_id = ?").Bind(1, mailing))
        {
            if (!row.Step()) return null;
            view = new(row.Int32(0), row.Int32(1), row.Int32(2), row.String(3), row.String(4), 0, 0);
        }
        using var counts = prepare("""
            SELECT count(*), coalesce(sum(state = 'rendered'), 0), coalesce(sum(state IN ('deferred', 'bounced') OR class IS 'complaint'), 0), max(coalesce(handed, at))
              FROM (SELECT * FROM ledger WHERE mailing_id = ?1 AND state <> 'skipped' ORDER BY id LIMIT ?2)
            """).Bind(1, mailing).Bind(2, (long)view.First);
        if (!counts.Step()) return view;
        (waiting, last) = (counts.Int32(1), counts.TimeOrNull(3));
        return view with { Copies = counts.Int32(0), Bad = counts.Int32(2) };
    }

    public static void Stop(WriteTransaction write, long mailing, string sentence) =>
        write.Prepare("UPDATE mailing_canary SET state = 'stopped', sentence = ? WHERE mailing_id = ? AND state = 'waiting'").Bind(1, sentence).Bind(2, mailing).Run();

    /// <summary>Lets the rest go.</summary>
    public static void Pass(WriteTransaction write, long mailing, string from)
    {
        if (write.Prepare("UPDATE mailing_canary SET state = 'passed' WHERE mailing_id = ? AND state = ?").Bind(1, mailing).Bind(2, from).Run() == 0) return;
        write.Prepare("UPDATE ledger SET not_before = NULL, reply = '' WHERE mailing_id = ? AND state = 'rendered' AND not_before = ?").Bind(1, mailing).Bind(2, Never).Run();
    }

    /// <summary>Removes those of a course.</summary>
    public static void RemoveAll(WriteTransaction write, long course) =>
        write.Prepare("DELETE FROM mailing_canary WHERE mailing_id IN (SELECT id FROM mailing WHERE course_id = ?)").Bind(1, course).Run();
}
