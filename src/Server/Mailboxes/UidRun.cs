namespace CbaMail.Mailboxes;

/// <summary>Neighbouring UIDs, all of which are meant: one statement does for them what it does for one.</summary>
readonly record struct UidRun(uint First, uint Last)
{
    public bool IsFollowedBy(uint uid) => First != 0 && uid == Last + 1;

    /// <param name="uids">Rising.</param>
    public static List<UidRun> Of(IEnumerable<uint> uids)
    {
        var runs = new List<UidRun>();
        foreach (var uid in uids)
        {
            if (runs.Count > 0 && runs[^1].IsFollowedBy(uid)) runs[^1] = runs[^1] with { Last = uid };
            else runs.Add(new UidRun(uid, uid));
        }
        return runs;
    }
}
