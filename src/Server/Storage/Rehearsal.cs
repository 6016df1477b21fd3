namespace CbaMail.Storage;

/// <summary>
/// While it lasts, commits of this flow of control are tried and undone: whoever asks hears what would be, and nothing is. For deeds of one
/// commit; a second one does not see what the first would have written.
/// </summary>
public static class Rehearsal
{
    static readonly AsyncLocal<bool> current = new();

    /// <summary>Whether what is done now is only tried.</summary>
    public static bool IsOn => current.Value;

    /// <summary>Runs a deed, tried only.</summary>
    public static async Task RunAsync(Func<Task> deed)
    {
        current.Value = true; // this method's own flow: it ends with it
        await deed();
    }

    /// <summary>Carries the outcome out of a transaction that it undoes.</summary>
    internal sealed class Done<T>(T outcome) : Exception("tried, and undone")
    {
        public T Outcome => outcome;
    }
}
