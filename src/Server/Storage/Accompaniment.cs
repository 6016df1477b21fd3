namespace CbaMail.Storage;

/// <summary>
/// While it lasts, whatever this flow of control commits carries a note with it, in the same transaction: who caused the change is known as
/// surely as the change itself. A flow that commits nothing writes no note.
/// </summary>
public sealed class Accompaniment
{
    static readonly AsyncLocal<Accompaniment?> current = new();

    readonly Action<WriteTransaction> note;
    volatile bool ended;

    Accompaniment(Action<WriteTransaction> note) => this.note = note;

    /// <summary>Whether a note is on the disk.</summary>
    public bool IsWritten { get; private set; }

    /// <summary>Runs a deed.</summary>
    /// <param name="note">Runs in each transaction until one of them is committed, so it must not mind to be run twice.</param>
    /// <returns>Also where the deed throws, by <paramref name="failed"/>.</returns>
    public static async Task<Accompaniment> RunAsync(Action<WriteTransaction> note, Func<Task> deed, Func<Accompaniment, Task> failed)
    {
        var mine = new Accompaniment(note);
        current.Value = mine; // this method's own flow: it ends with it
        try
        {
            await deed();
        }
        catch
        {
            mine.ended = true;
            await failed(mine);
            throw;
        }
        finally
        {
            mine.ended = true; // work that the deed left running goes its own way
        }
        return mine;
    }

    /// <summary>The work with the note, where there is one to write.</summary>
    internal static Func<WriteTransaction, T> With<T>(Func<WriteTransaction, T> work)
    {
        if (current.Value is not { ended: false, IsWritten: false } mine) return work;
        return write =>
        {
            var result = work(write);
            mine.note(write);
            write.OnCommitted(() => mine.IsWritten = true);
            return result;
        };
    }
}
