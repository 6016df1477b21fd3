using System.Text;
using CbaMail.Envelope;
using CbaMail.Milter;
using CbaMail.Mime;

namespace CbaMail.Inbound.Milters;

/// <summary>
/// What a milter wants changed, in order. Nothing takes effect before its last word, and nothing at all where that is a refusal.
/// Positions are those of Sendmail and Postfix: fields to change are counted among those of their name as the milter has seen them, without our
/// Received; a field to insert goes behind so many fields of the whole message, our Received counted; but never above it.
/// </summary>
sealed class MilterChanges(Milter milter, MilterTerms terms, Arrival arrival, ContentShop content)
{
    readonly List<(string? Quarantine, Action? Envelope)> waiting = [];
    readonly List<string> done = [];
    readonly List<string> junk = [];
    long bodyBytes;

    public MessageEdits Edits { get; } = new(arrival.Message, "Received"u8);

    public void Add(MilterReply reply)
    {
        if (!reply.IsChange) throw new MilterTrouble($"its answer {reply.Answer} has no sense here");
        if ((terms.Actions & reply.Action) == 0) throw new MilterTrouble($"it did not say that it would ask for {reply.Answer}");
        switch (reply.Answer)
        {
            case MilterAnswer.AddHeader:
                Edits.Append(reply.Name.Span, Value(reply));
                Note("+", reply);
                break;
            case MilterAnswer.InsertHeader:
                Edits.Insert(reply.Index, reply.Name.Span, Value(reply));
                Note("+", reply);
                break;
            case MilterAnswer.ChangeHeader:
                Edits.Change(reply.Name.Span, reply.Index, reply.Value.IsEmpty ? null : Value(reply));
                Note(reply.Value.IsEmpty ? "-" : "=", reply);
                break;
            case MilterAnswer.ReplaceBody:
                if ((bodyBytes += reply.Value.Length) > content.LongestBody) throw new MilterTrouble("its new body is larger than any message here may be");
                Edits.ReplaceBody(reply.Value.Span);
                if (done is not [.., "body"]) done.Add("body");
                break;
            case MilterAnswer.Quarantine:
                waiting.Add((reply.Text, null));
                break;
            default:
                waiting.Add((null, () => Envelope(reply)));
                break;
        }
    }

    // without the agreement on leading spaces the server puts one behind the colon
    byte[] Value(MilterReply reply) => terms.Steps.HasFlag(MilterSteps.LeadingSpace) ? reply.Value.ToArray() : [(byte)' ', .. reply.Value.Span];

    void Note(string how, MilterReply reply)
    {
        var name = Encoding.ASCII.GetString(reply.Name.Span);
        done.Add(how + name);
        if (reply.Value.IsEmpty) return;
        var value = Encoding.UTF8.GetString(reply.Value.Span[..Math.Min(200, reply.Value.Length)]).Trim();
        foreach (var field in milter.Settings.JunkFields)
        {
            var colon = field.IndexOf(':', StringComparison.Ordinal);
            if (name.Equals(field[..colon].Trim(), StringComparison.OrdinalIgnoreCase) && value.StartsWith(field[(colon + 1)..].Trim(), StringComparison.OrdinalIgnoreCase))
                junk.Add($"{name}: {value.Split('\n')[0]}");
        }
    }

    public void Apply()
    {
        foreach (var (quarantine, envelope) in waiting)
        {
            if (quarantine is not null) arrival.Judge(Disposition.Quarantine, milter.Name, quarantine.ReplaceLineEndings(" "));
            envelope?.Invoke();
        }
        // what our own people write is not put aside by a mark: it would not leave, and nobody would tell them
        if (junk.Count > 0 && arrival.SignedIn is null) arrival.Judge(Disposition.Junk, milter.Name, junk[0]);
        content.Write(arrival, Edits);
        if (arrival.Recipients.Count == 0) arrival.Judge(Disposition.Discard, milter.Name, "no recipient is left");
        if (done.Count > 0) MilterTelemetry.Changed(milter.Log, arrival.Session, arrival.Id, milter.Name, string.Join(' ', done.Take(40)));
    }

    void Envelope(MilterReply reply)
    {
        var problem = reply.Answer switch
        {
            MilterAnswer.AddRecipient => content.AddRecipient(arrival, reply.Text),
            MilterAnswer.AddRecipientWithParameters => AddRecipient(reply),
            MilterAnswer.DeleteRecipient => ContentShop.RemoveRecipient(arrival, reply.Text),
            _ => SetSender(reply),
        };
        if (problem is not null) MilterTelemetry.NotDone(milter.Log, arrival.Session, arrival.Id, milter.Name, problem);
        else done.Add($"{reply.Answer} {reply.Text}");
    }

    // RFC 3461 4.1 and 4.2; other parameters have no sense here
    string? AddRecipient(MilterReply reply)
    {
        if (EsmtpParameters.Parse(reply.Parameters) is not { } parameters) return $"the parameters of {reply.Text} cannot be read";
        string? notify = null, original = null;
        foreach (var (key, value) in parameters)
        {
            if (key == "NOTIFY") notify = DsnOptions.Notify(value);
            else if (key == "ORCPT") original = DsnOptions.OriginalRecipient(value);
        }
        return content.AddRecipient(arrival, reply.Text, notify, original);
    }

    // RFC 3461 4.3 and 4.4
    string? SetSender(MilterReply reply)
    {
        if (EsmtpParameters.Parse(reply.Parameters) is not { } parameters) return $"the parameters of {reply.Text} cannot be read";
        foreach (var (key, value) in parameters)
        {
            if (key == "RET" && DsnOptions.Return(value) is { } about) arrival.Return = about;
            else if (key == "ENVID" && DsnOptions.EnvelopeId(value) is { } id) arrival.EnvelopeId = id;
        }
        return ContentShop.SetSender(arrival, reply.Text);
    }
}
