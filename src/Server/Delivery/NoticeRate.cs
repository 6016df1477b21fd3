namespace CbaMail.Delivery;

/// <summary>How many notices one sender gets in an hour: a program that writes to dead addresses does not fill its owner's mailbox.</summary>
sealed class NoticeRate(int most, TimeProvider time)
{
    const int MostSenders = 10_000;

    readonly Lock gate = new();
    readonly Dictionary<string, int> told = [];
    long hour;

    /// <summary>Counts a notice; false where there have been enough.</summary>
    public bool Allows(string sender)
    {
        if (most <= 0) return true;
        lock (gate)
        {
            var now = time.GetUtcNow().ToUnixTimeSeconds() / 3600;
            if (now != hour || told.Count >= MostSenders)
            {
                told.Clear();
                hour = now;
            }
            var count = told.GetValueOrDefault(sender);
            if (count >= most) return false;
            told[sender] = count + 1;
            return true;
        }
    }
}
