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

    public long this[int index]
    {
        get => wide is not null ? wide[index] : narrow is not null ? narrow[index] : 0;
        set
        {
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

    public NumberColumn Copy() => new() { size = size, narrow = narrow?.AsSpan().ToArray(), wide = wide?.AsSpan().ToArray() };

    /// <summary>New ones are zero.</summary>
    public void Resize(int size)
    {
        this.size = size;
        if (narrow is not null) Array.Resize(ref narrow, size);
        if (wide is not null) Array.Resize(ref wide, size);
    }
}
