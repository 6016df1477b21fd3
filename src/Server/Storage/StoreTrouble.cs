using CbaMail.Envelope;
using CbaMail.Storage.Sqlite;
using SQLitePCL;

namespace CbaMail.Storage;

/// <summary>
/// Which of the machine's own troubles stands behind an exception, as the refusal that a client hears: 452 4.3.1 (RFC 5321 4.2.3) and
/// NO [UNAVAILABLE] (RFC 5530 3), never a 5xx: the same mail will be taken when the trouble is over.
/// </summary>
public static class StoreTrouble
{
    public static readonly Refusal Full = Refusal.DiskFull;
    public static readonly Refusal Unwritable = Refusal.DiskFull.Because("The server's disk cannot be written to now; try again later");
    public static readonly Refusal Descriptors = Refusal.DiskFull.Because("The server has too many files and connections open; try again later");
    public static readonly Refusal Memory = Refusal.DiskFull.Because("The server is short of memory; try again later");

    /// <summary>Null for whatever is no trouble of the machine.</summary>
    public static Refusal? Of(Exception? surprise)
    {
        for (var e = surprise; e is not null; e = e.InnerException)
        {
            var refusal = e switch
            {
                Blobs.DamageError => null,
                SqliteError error => Of(error.Code),
                OutOfMemoryException => Memory,
                IOException io => OfErrno(io.HResult),
                _ => null,
            };
            if (refusal is not null) return refusal;
        }
        return null;
    }

    // .NET puts errno there: ENOSPC, EDQUOT; EROFS, EIO; ENFILE, EMFILE; ENOMEM
    static Refusal? OfErrno(int number) => number switch
    {
        28 or 122 => Full,
        30 or 5 => Unwritable,
        23 or 24 => Descriptors,
        12 => Memory,
        _ => null,
    };

    static Refusal? Of(int code) => (code & 0xff) switch
    {
        raw.SQLITE_FULL => Full,
        raw.SQLITE_READONLY => Unwritable,
        raw.SQLITE_NOMEM => Memory,
        raw.SQLITE_CANTOPEN => Descriptors, // the files are there: one of them could not be opened now
        raw.SQLITE_IOERR => (code >> 8) switch
        {
            19 => Full,   // SHMSIZE: the log's index cannot grow
            12 => Memory, // NOMEM
            _ => Unwritable,
        },
        _ => null,
    };
}
