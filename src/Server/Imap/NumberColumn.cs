namespace CbaMail.Imap;

/// <summary>
/// A number for each message in as few bytes as they need: none while all are zero, four while they fit. Of a mailbox of 100,000 messages
/// a session keeps less than a megabyte so.
/// </summary>
internal sealed class NumberColumn
{
    int size;
    uint[]? narrow;
    long[]? wide;
    bool isShared; // the array, with another column: whoever writes takes his own

    public long this[int index]
    {
        get => wide is not null ? wide[index] : narrow is not null ? narrow[index] : 0;
        set
        {
            if (isShared)
            {
                if (this[index] == value) return;
                Own();
            }
            if (wide is null && value is >= 0 and <= uint.MaxValue)
            {
                if (narrow is null && value == 0) return;
                (narrow ??= new uint[size])[index] = (uint)value;
                return;
            }
            if (wide is null)
            {
                wide = new long[size];
                for (var i = 0; i < narrow?.Length; i++) wide[i] = narrow[i];
                narrow = null;
            }
            wide[index] = value;
        }
    }

    /// <summary>The same numbers once more; an array is made where one of the two is written to.</summary>
    public NumberColumn Share()
    {
        isShared = true;
        return new() { size = size, narrow = narrow, wide = wide, isShared = true };
    }

    void Own() => (narrow, wide, isShared) = (narrow?.AsSpan().ToArray(), wide?.AsSpan().ToArray(), false);

    /// <summary>New ones are zero.</summary>
    public void Resize(int size)
    {
        if (isShared) Own();
        this.size = size;
        if (narrow is not null) Array.Resize(ref narrow, size);
        if (wide is not null) Array.Resize(ref wide, size);
    }
}
