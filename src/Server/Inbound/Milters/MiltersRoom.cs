using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Storage;

namespace CbaMail.Inbound.Milters;

/// <summary>
/// Milters: filter programs outside that are asked about each message (Rspamd, OpenDKIM, clamav-milter, ...), by the protocol of Sendmail as
/// <c>Formats/Milter</c> writes it.
///
/// Milter is one of the settings with its kept connections and its pause after failures; MilterConversation what it is told of one client,
/// kept in the <see cref="Visit"/>; MilterText shows it the message, MilterChanges takes what it wants changed; MilterCheck stands in the pipeline.
///
/// Rules to keep: a milter's failure is never the client's but by its mode of failure; every wait has its limit; nothing is changed before the
/// milter's last word; our Received stays on top; a server without milters pays nothing.
/// </summary>
static class MiltersRoom
{
    /// <summary>The checks for the pipeline, or none.</summary>
    public static IEnumerable<(Moment, Check)> Checks(Settings settings, Spool spool, UserDirectory directory, TimeProvider time, ILogger log, FilterStates? states = null)
    {
        if (settings.Milters.Count == 0) return [];
        var milters = settings.Milters.Select(each => new Milter(each, time, log)).ToArray();
        foreach (var milter in milters) states?.Add(milter.Name, () => milter.Problem);
        var (macros, content) = (new MilterMacros(settings), new ContentShop(settings, spool, directory));
        return Enum.GetValues<Moment>().Where(moment => moment >= Moment.Sender || Array.Exists(milters, milter => milter.Settings.FromConnect)).Select(moment => (moment, (Check)new MilterCheck(moment, milters, macros, content)));
    }
}
