namespace CbaMail.Mailboxes;

/// <summary>Log messages of the vault: 8100-8199.</summary>
static partial class MailboxesTelemetry
{
    [LoggerMessage(8100, LogLevel.Information, "The last stop was not clean: {Contents} bodies and {Objects} large parts that had never been acknowledged were removed")]
    public static partial void Recovered(ILogger log, int contents, int objects);

    [LoggerMessage(8110, LogLevel.Information, "Pack {Pack} of {Bytes} bytes was collected: {Copied} bytes of it lived and were copied, in {Milliseconds} ms")]
    public static partial void PackCollected(ILogger log, int pack, long bytes, long copied, long milliseconds);

    [LoggerMessage(8111, LogLevel.Error, "{Kind} {Id} at {Position} of pack {Pack} is damaged and stays where it is; run 'cbamail verify'")]
    public static partial void DamagedInPack(ILogger log, Storage.Blobs.RecordKind kind, long id, int pack, long position);

    [LoggerMessage(8112, LogLevel.Error, "Pack {Pack} is mostly dead but holds something damaged, and is kept; run 'cbamail verify'")]
    public static partial void PackKept(ILogger log, int pack);

    [LoggerMessage(8113, LogLevel.Error, "Pack {Pack} is missing, and messages lie in it; run 'cbamail verify'")]
    public static partial void PackMissing(ILogger log, int pack);

    [LoggerMessage(8114, LogLevel.Warning, "The statistics of pack {Pack} were wrong: no message lies in it; they were put right")]
    public static partial void StatisticsMended(ILogger log, int pack);

    [LoggerMessage(8115, LogLevel.Error, "The vault's upkeep failed; it is tried again")]
    public static partial void UpkeepFailed(ILogger log, Exception error);

    [LoggerMessage(8116, LogLevel.Information, "{Messages} messages were removed that had been in their mailboxes for longer than these keep them")]
    public static partial void Expired(ILogger log, int messages);

    [LoggerMessage(8120, LogLevel.Warning, "The search index of account {Account} cannot be used now: {Why} Searches read the messages instead")]
    public static partial void IndexFailed(ILogger log, long account, string why);

    [LoggerMessage(8122, LogLevel.Warning, "Content {Content} is not in the search index, and is read in every search instead")]
    public static partial void MessageNotIndexed(ILogger log, long content, Exception error);

    [LoggerMessage(8121, LogLevel.Error, "Filling search indexes failed; it is tried again")]
    public static partial void IndexingFailed(ILogger log, Exception error);
}
