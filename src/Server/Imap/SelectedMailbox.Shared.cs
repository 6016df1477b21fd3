namespace CbaMail.Imap;

/// <summary>What views of one mailbox share: UIDs change only where messages go, modification sequences and keywords with the first change.</summary>
internal sealed partial class SelectedMailbox
{
    bool sharesUids;

    /// <summary>What has been taken in, for who selects the mailbox next.</summary>
    public ViewCopy Copy(uint uidNext, long modseq)
    {
        if (uids.Length != Count) Array.Resize(ref uids, Count);
        sharesUids = true;
        return new(ViewShape.Of(this), uidNext, modseq, uids, flags[..Count], keywords.Share(), modseqs.Share(), keywordSets.Texts);
    }

    /// <summary>Takes in what another session has.</summary>
    public void Load(ViewCopy copy)
    {
        (uids, sharesUids, flags) = (copy.Uids, true, [.. copy.Flags]);
        (keywords, modseqs, Count) = (copy.Keywords.Share(), copy.ModSeqs.Share(), copy.Uids.Length);
        foreach (var set in copy.KeywordSets) keywordSets.Intern(set);
    }

    void OwnUids()
    {
        if (sharesUids) (uids, sharesUids) = ([.. uids], false);
    }
}
