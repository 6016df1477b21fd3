using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>What the lanes have learnt, over restarts.</summary>
internal static class PaceTable
{
    public static void Save(WriteTransaction write, PaceState state)
    {
        if (state.Changed == default) write.Prepare("DELETE FROM pace WHERE lane=?").Bind(1, state.Lane).Run();
        else
            write.Prepare("INSERT OR REPLACE INTO pace (lane, connections, per_hour, per_connection, strikes, until, reason, changed) VALUES (?,?,?,?,?,?,?,?)")
                .Bind(1, state.Lane).Bind(2, state.Connections).Bind(3, state.PerHour).Bind(4, (long)state.PerConnection).Bind(5, (long)state.Strikes)
                .Bind(6, state.Until).Bind(7, state.Reason).Bind(8, state.Changed).Run();
    }

    public static List<PaceState> All(ReadTransaction read)
    {
        using var row = read.Prepare("SELECT lane, connections, per_hour, per_connection, strikes, until, reason, changed FROM pace");
        var all = new List<PaceState>();
        while (row.Step())
            all.Add(new PaceState(row.String(0), row.Double(1), row.Double(2), row.Int32(3), row.Int32(4), row.Time(5), row.String(6), row.Time(7)));
        return all;
    }
}
