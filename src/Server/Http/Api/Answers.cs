namespace CbaMail.Http.Api;

/// <summary>The answer to a deed that has nothing else to tell.</summary>
sealed record DeedDone(bool Done);

/// <summary>The answer to a deed about what has this address.</summary>
sealed record AddressDone(string Address);

/// <summary>The answer to a deed about what has this number.</summary>
sealed record NumberDone(long Id);

/// <summary>How many lines of work are done of how many; before the summary of long work.</summary>
sealed record Progress(long Done, long Of);
