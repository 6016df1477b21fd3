using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Storage;

namespace CbaMail.Inbound.Hooks;

/// <summary>
/// Hooks: addresses of the web that are asked about mail in JSON, for those who would rather write a few lines of a web service than a milter.
///
/// Hook posts and reads, HookQuestion and HookAnswer are the JSON (docs/hook-question.schema.json, docs/hook-answer.schema.json), HookCheck stands
/// in the pipeline.
///
/// Rules to keep: what stands in version 1 stays as it is; a question is asked once and within its time, the answer is at most 1 MB; nothing
/// goes over a network in clear text; a server without hooks pays nothing.
/// </summary>
static class HooksRoom
{
    /// <summary>The checks for the pipeline, or none.</summary>
    public static IEnumerable<(Moment, Check)> Checks(Settings settings, Spool spool, UserDirectory directory, TimeProvider time, ILogger log, FilterStates? states = null)
    {
        if (settings.Hooks.Count == 0) return [];
        var hooks = settings.Hooks.Select(each => new Hook(each, time, log)).ToArray();
        foreach (var hook in hooks) states?.Add(hook.Name, () => hook.Pause.Problem);
        var content = new ContentShop(settings, spool, directory);
        return Enum.GetValues<Moment>()
            .Where(moment => moment == Moment.Sender || Array.Exists(hooks, hook => hook.IsAskedAt(moment)))
            .Select(moment => (moment, (Check)new HookCheck(moment, hooks, settings, content, time)));
    }
}
