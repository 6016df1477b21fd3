using CbaMail.Calendar;
using CbaMail.Directory;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;

namespace CbaMail.Resources;

/// <summary>All SQL of resources (Storage/Schema/0038_resources.sql). Where it takes a function, that is Prepare of a transaction that reads or writes.</summary>
static class ResourceTable
{
    const string Columns = "SELECT r.id, r.domain_id, r.local, d.name, r.profile, r.created FROM resource r JOIN domain d ON d.id = r.domain_id";
    const string BookingColumns = "SELECT b.id, b.resource_id, b.uid, b.instance, b.sequence, b.stamp, b.organizer, b.summary, b.state, b.request, b.made, b.why, b.ends FROM booking b";

    public static List<Resource> All(ReadTransaction read)
    {
        var all = new List<Resource>();
        using var rows = read.Prepare(Columns);
        while (rows.Step()) all.Add(Resource(rows));
        return all;
    }

    public static Resource? Find(Func<string, Statement> prepare, long id)
    {
        using var row = prepare(Columns + " WHERE r.id = ?").Bind(1, id);
        return row.Step() ? Resource(row) : null;
    }

    static Resource Resource(Statement row) => new(row.Int64(0), row.Int64(1), new(row.String(2), row.String(3)), ResourceProfile.FromJson(row.String(4)), row.Time(5));

    /// <returns>The id, or null where the address is taken.</returns>
    public static long? Add(WriteTransaction write, Resource resource)
    {
        if (DirectoryTable.IsTaken(write, resource.DomainId, resource.Address.LocalPart)) return null;
        write.Prepare("INSERT INTO resource (domain_id, local, profile, created) VALUES (?, ?, ?, ?)")
            .Bind(1, resource.DomainId).Bind(2, resource.Address.LocalPart).Bind(3, resource.Profile.ToJson()).Bind(4, resource.Created).Run();
        return write.LastInsertId;
    }

    public static void SetProfile(WriteTransaction write, Resource resource) => write.Prepare("UPDATE resource SET profile = ? WHERE id = ?").Bind(1, resource.Profile.ToJson()).Bind(2, resource.Id).Run();

    public static void Remove(WriteTransaction write, long id)
    {
        write.Prepare("DELETE FROM booking_time WHERE resource_id = ?").Bind(1, id).Run();
        write.Prepare("DELETE FROM booking WHERE resource_id = ?").Bind(1, id).Run();
        write.Prepare("DELETE FROM resource WHERE id = ?").Bind(1, id).Run();
    }

    public static Booking? FindBooking(Func<string, Statement> prepare, long resource, string uid, long instance)
    {
        using var row = prepare(BookingColumns + " WHERE b.resource_id = ? AND b.uid = ? AND b.instance = ?").Bind(1, resource).Bind(2, uid).Bind(3, instance);
        return row.Step() ? Booking(row) : null;
    }

    public static Booking? FindBooking(Func<string, Statement> prepare, long id)
    {
        using var row = prepare(BookingColumns + " WHERE b.id = ?").Bind(1, id);
        return row.Step() ? Booking(row) : null;
    }

    static Booking Booking(Statement row) =>
        new(row.Int64(0), row.Int64(1), row.String(2), row.Int64(3), row.Int32(4), row.Time(5), row.String(6), row.String(7), row.String(8), row.IsNull(9) ? null : row.Blob(9).ToArray(), row.Time(10), row.IsNull(11) ? null : row.String(11), row.Time(12));

    /// <summary>What stands in its own time, by start, of bookings that overlap the range.</summary>
    public static List<(Booking Booking, DateTimeOffset Start, DateTimeOffset End)> Between(Func<string, Statement> prepare, long resource, DateTimeOffset from, DateTimeOffset to)
    {
        var all = new List<(Booking, DateTimeOffset, DateTimeOffset)>();
        using var rows = prepare("""
            SELECT b.id, b.resource_id, b.uid, b.instance, b.sequence, b.stamp, b.organizer, b.summary, b.state, NULL, b.made, b.why, b.ends, t.start, t."end"
            FROM booking_time t JOIN booking b ON b.id = t.booking_id WHERE t.resource_id = ? AND t."end" > ? AND t.start < ? ORDER BY t.start, b.id
            """).Bind(1, resource).Bind(2, from).Bind(3, to);
        while (rows.Step()) all.Add((Booking(rows), rows.Time(13), rows.Time(14)));
        return all;
    }

    /// <summary>When the instance that was at a time by the rule begins, or null where the booking has it not.</summary>
    public static DateTimeOffset? StartOf(Func<string, Statement> prepare, long booking, long original)
    {
        using var row = prepare("SELECT start FROM booking_time WHERE booking_id = ? AND original = ?").Bind(1, booking).Bind(2, original);
        return row.Step() ? row.Time(0) : null;
    }

    /// <summary>Whose the bookings of an event are.</summary>
    public static List<string> OrganizersOf(Func<string, Statement> prepare, long resource, string uid)
    {
        var all = new List<string>();
        using var rows = prepare("SELECT DISTINCT organizer FROM booking WHERE resource_id = ? AND uid = ?").Bind(1, resource).Bind(2, uid);
        while (rows.Step()) all.Add(rows.String(0));
        return all;
    }

    /// <summary>Writes what is known of an event or instance, and the times that it has.</summary>
    public static void Put(WriteTransaction write, Booking booking, IEnumerable<EventInstance> times)
    {
        write.Prepare("""
            INSERT INTO booking (resource_id, uid, instance, sequence, stamp, organizer, summary, state, request, made, why, ends) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (resource_id, uid, instance) DO UPDATE SET sequence = excluded.sequence, stamp = excluded.stamp, organizer = excluded.organizer, summary = excluded.summary, state = excluded.state, request = excluded.request, why = excluded.why, ends = excluded.ends
            """)
            .Bind(1, booking.ResourceId).Bind(2, booking.Uid).Bind(3, booking.Instance).Bind(4, booking.Sequence).Bind(5, booking.Stamp).Bind(6, booking.Organizer)
            .Bind(7, booking.Summary).Bind(8, booking.State).BindOrNull(9, booking.Request).Bind(10, booking.Made).Bind(11, booking.Why).Bind(12, booking.Ends).Run();
        var id = FindBooking(write.Prepare, booking.ResourceId, booking.Uid, booking.Instance)!.Id;
        Free(write, id);
        foreach (var time in times)
            write.Prepare("INSERT INTO booking_time (booking_id, original, resource_id, start, \"end\") VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
                .Bind(1, id).Bind(2, time.Original).Bind(3, booking.ResourceId).Bind(4, time.Start).Bind(5, time.End).Run();
    }

    public static void SetState(WriteTransaction write, long id, string state, string? why) => write.Prepare("UPDATE booking SET state = ?, why = ? WHERE id = ?").Bind(1, state).Bind(2, why).Bind(3, id).Run();

    /// <summary>Of what is over no further answer is written, and after a while it is forgotten.</summary>
    /// <param name="rows">At most so many of each.</param>
    /// <returns>How many were forgotten or made smaller.</returns>
    public static int Prune(WriteTransaction write, DateTimeOffset now, DateTimeOffset before, int rows)
    {
        write.Prepare("DELETE FROM booking_time WHERE booking_id IN (SELECT id FROM booking WHERE ends < ? ORDER BY ends LIMIT ?)").Bind(1, before).Bind(2, rows).Run();
        var gone = write.Prepare("DELETE FROM booking WHERE id IN (SELECT id FROM booking WHERE ends < ? ORDER BY ends LIMIT ?)").Bind(1, before).Bind(2, rows).Run();
        return gone + write.Prepare("UPDATE booking SET request = NULL WHERE id IN (SELECT id FROM booking WHERE ends < ? AND request IS NOT NULL ORDER BY ends LIMIT ?)").Bind(1, now).Bind(2, rows).Run();
    }

    /// <summary>Who has booked has another address.</summary>
    public static void SetOrganizer(WriteTransaction write, string from, string to) => write.Prepare("UPDATE booking SET organizer = ? WHERE organizer = ?").Bind(1, to).Bind(2, from).Run();

    /// <summary>The booking has no time any more.</summary>
    public static void Free(WriteTransaction write, long id) => write.Prepare("DELETE FROM booking_time WHERE booking_id = ?").Bind(1, id).Run();

    /// <summary>The booking no longer has the instance that was at this time by the rule.</summary>
    public static void Free(WriteTransaction write, long id, long original) => write.Prepare("DELETE FROM booking_time WHERE booking_id = ? AND original = ?").Bind(1, id).Bind(2, original).Run();

    /// <summary>What was said of single instances is over: the event itself has been said anew.</summary>
    public static void RemoveSingle(WriteTransaction write, long resource, string uid)
    {
        write.Prepare("DELETE FROM booking_time WHERE booking_id IN (SELECT id FROM booking WHERE resource_id = ? AND uid = ? AND instance <> -1)").Bind(1, resource).Bind(2, uid).Run();
        write.Prepare("DELETE FROM booking WHERE resource_id = ? AND uid = ? AND instance <> -1").Bind(1, resource).Bind(2, uid).Run();
    }
}
