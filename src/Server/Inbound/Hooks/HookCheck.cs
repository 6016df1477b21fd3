using System.Text;
using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Mime;

namespace CbaMail.Inbound.Hooks;

/// <summary>
/// Asks the hooks of this moment, in the order of the settings. What one says of the client, at connect or hello, holds for all its mail of this
/// connection; changes are made at the message's moment only.
/// </summary>
sealed class HookCheck(Moment moment, IReadOnlyList<Hook> hooks, Settings settings, ContentShop content, TimeProvider time) : Check
{
    public override string Name => "Hook";

    /// <summary>What a hook has said of the client.</summary>
    sealed record OfClient(Refusal? Refusal, Disposition Disposition, string Reason);

    public override async ValueTask<Refusal?> AskAsync(Arrival arrival, CancellationToken cancel)
    {
        foreach (var hook in hooks)
        {
            if (!hook.IsFor(arrival.Protocol)) continue;
            if (moment == Moment.Sender && arrival.Visit.Find<OfClient>(hook) is { } before)
            {
                if (before.Refusal is not null) return before.Refusal;
                arrival.Judge(before.Disposition, hook.Name, before.Reason);
            }
            if (hook.IsAskedAt(moment) && await AskAsync(hook, arrival, cancel) is { } refusal) return refusal;
            if (arrival.Disposition == Disposition.Discard) return null;
        }
        return null;
    }

    async ValueTask<Refusal?> AskAsync(Hook hook, Arrival arrival, CancellationToken cancel)
    {
        if (!hook.Pause.MayTry()) return FilterPause.Outcome(hook.Settings.OnFailure, hook.Name, moment, arrival);
        try
        {
            var answer = await hook.AskAsync(HookQuestion.Write(settings, hook.Settings, moment, arrival, time.GetUtcNow()), cancel);
            hook.Pause.Succeeded();
            return Follow(hook, answer, arrival);
        }
        catch (HookTrouble trouble)
        {
            HookTelemetry.Failed(hook.Log, arrival.Session, hook.Name, trouble.Message);
            hook.Pause.Failed(trouble.Message);
            return FilterPause.Outcome(hook.Settings.OnFailure, hook.Name, moment, arrival);
        }
    }

    Refusal? Follow(Hook hook, HookAnswer answer, Arrival arrival)
    {
        var reason = answer.Reason.Length > 0 ? answer.Reason : "without a reason";
        if (moment < Moment.Sender)
        {
            if (answer.Action != Disposition.Accept) arrival.Visit.Keep(hook, new OfClient(answer.Refusal, answer.Action, reason));
            return answer.Refusal;
        }
        if (answer.Refusal is not null) return answer.Refusal;
        if (answer.Action != Disposition.Accept) arrival.Judge(answer.Action, hook.Name, reason);
        if (!answer.HasChanges || arrival.Disposition == Disposition.Discard) return null;
        if (moment == Moment.Message) Change(hook, answer, arrival);
        else HookTelemetry.NotDone(hook.Log, arrival.Session, hook.Name, "changes are made at the message's moment only");
        return null;
    }

    void Change(Hook hook, HookAnswer answer, Arrival arrival)
    {
        var edits = new MessageEdits(arrival.Message, "Received"u8);
        foreach (var name in answer.RemoveHeaders) edits.Remove(Encoding.UTF8.GetBytes(name));
        // right below our Received, in the order that they are given in
        for (var i = 0; i < answer.AddHeaders.Count; i++) edits.Insert(1 + i, Encoding.ASCII.GetBytes(answer.AddHeaders[i].Name), Encoding.UTF8.GetBytes(" " + answer.AddHeaders[i].Value));
        content.Write(arrival, edits);

        var problems = new List<string?>();
        if (answer.SetSender is { } sender) problems.Add(ContentShop.SetSender(arrival, sender.Length == 0 ? "<>" : sender));
        foreach (var recipient in answer.AddRecipients) problems.Add(content.AddRecipient(arrival, recipient));
        foreach (var recipient in answer.RemoveRecipients) problems.Add(ContentShop.RemoveRecipient(arrival, recipient));
        foreach (var problem in problems)
            if (problem is not null) HookTelemetry.NotDone(hook.Log, arrival.Session, hook.Name, problem);
        if (arrival.Recipients.Count == 0) arrival.Judge(Disposition.Discard, hook.Name, "no recipient is left");
        HookTelemetry.Changed(hook.Log, arrival.Session, arrival.Id, hook.Name, Summary(answer));
    }

    static string Summary(HookAnswer answer) => string.Join(' ',
        answer.RemoveHeaders.Select(name => "-" + Shown(name)).Concat(answer.AddHeaders.Select(field => "+" + field.Name))
            .Concat(answer.SetSender is { } sender ? ["sender " + Shown(sender)] : []).Concat(answer.AddRecipients.Select(r => "+" + Shown(r))).Concat(answer.RemoveRecipients.Select(r => "-" + Shown(r))).Take(40));

    static string Shown(string text) => new([.. text.Take(100).Select(c => char.IsControl(c) ? '?' : c)]);
}
