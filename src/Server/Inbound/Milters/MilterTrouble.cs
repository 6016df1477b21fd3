namespace CbaMail.Inbound.Milters;

/// <summary>A milter cannot be reached, is silent, or says what has no sense here: its mode of failure decides. Does not leave this folder.</summary>
sealed class MilterTrouble(string sentence, Exception? cause = null) : Exception(sentence, cause)
{
    /// <summary>It was not even asked, because of troubles before: nothing new.</summary>
    public bool IsOld { get; init; }

    /// <summary>It has gone away.</summary>
    public bool IsGone { get; init; }
}
