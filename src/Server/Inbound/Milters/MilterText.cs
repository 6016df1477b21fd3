using System.Diagnostics;
using CbaMail.Config;
using CbaMail.Milter;
using CbaMail.Mime;

namespace CbaMail.Inbound.Milters;

/// <summary>
/// Shows a milter the text of a message: fields, the end of the header, the body in pieces, the end. Where the milter does not answer a step,
/// several go out together; where it does, each waits for its answer, for it may be the last word.
/// </summary>
sealed class MilterText(MilterConnection connection, MilterSettings settings)
{
    /// <summary>Bytes after which what needs no answer goes out.</summary>
    const int MostPending = 128 * 1024;

    /// <summary>However often it says "progress", it is given up then.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    /// <summary>Changes of one message, above which a milter has lost its mind.</summary>
    const int MostChanges = 50_000;

    readonly MilterTerms terms = connection.Terms;
    MilterReply? last;

    /// <returns>The milter's last word, and the step that it answers.</returns>
    public async ValueTask<(MilterCommand Command, MilterReply Reply)> SendAsync(
        MessageEdits message, IReadOnlyList<(string, string)> headerMacros, IReadOnlyList<(string, string)> bodyMacros, MilterChanges changes, CancellationToken cancel)
    {
        if (terms.Has(MilterCommand.Header))
            foreach (var (name, value) in message.Fields())
            {
                connection.Writer.Header(name.Span, value.Span, terms.Steps.HasFlag(MilterSteps.LeadingSpace));
                if (await EndsAsync(MilterCommand.Header, changes, cancel)) return (MilterCommand.Header, last!);
                if (last?.Answer == MilterAnswer.Skip) break;
            }
        if (terms.Has(MilterCommand.EndOfHeader))
        {
            connection.Writer.Macros(MilterCommand.EndOfHeader, headerMacros);
            connection.Writer.Write(MilterCommand.EndOfHeader);
            if (await EndsAsync(MilterCommand.EndOfHeader, changes, cancel)) return (MilterCommand.EndOfHeader, last!);
        }
        if (terms.Has(MilterCommand.Body))
            for (var body = message.Body; body.Length > 0;)
            {
                var piece = body[..Math.Min(body.Length, terms.PacketSize)];
                connection.Writer.Body(piece.Span);
                body = body[piece.Length..];
                if (await EndsAsync(MilterCommand.Body, changes, cancel)) return (MilterCommand.Body, last!);
                if (last?.Answer == MilterAnswer.Skip) break;
            }
        connection.Writer.Macros(MilterCommand.EndOfBody, bodyMacros);
        connection.Writer.Write(MilterCommand.EndOfBody);
        await connection.FlushAsync(settings.MessageTimeout, cancel);
        await HearAsync(settings.MessageTimeout, changes, cancel);
        return (MilterCommand.EndOfBody, last!);
    }

    /// <returns>Whether nothing more is to be sent.</returns>
    async ValueTask<bool> EndsAsync(MilterCommand command, MilterChanges changes, CancellationToken cancel)
    {
        last = null;
        var answered = terms.IsAnswered(command);
        if (answered || connection.Pending > MostPending) await connection.FlushAsync(settings.CommandTimeout, cancel);
        if (!answered) return false;
        await HearAsync(settings.CommandTimeout, null, cancel, changes);
        return last!.Answer is not (MilterAnswer.Continue or MilterAnswer.Skip);
    }

    /// <param name="changes">Takes the changes; null where there may be none.</param>
    async ValueTask HearAsync(TimeSpan limit, MilterChanges? changes, CancellationToken cancel, MilterChanges? early = null)
    {
        var began = 0L;
        for (var count = 0; ; count++)
        {
            var reply = await connection.ReadAsync(limit, cancel);
            if (reply.IsFinal)
            {
                last = reply;
                return;
            }
            if (began == 0) began = Stopwatch.GetTimestamp();
            if (count > MostChanges || Stopwatch.GetElapsedTime(began) > Longest) throw new MilterTrouble("it does not come to an end");
            if (reply.Answer is MilterAnswer.Progress or MilterAnswer.SetMacros) continue;
            // a quarantine may be asked for at any time
            var taker = changes ?? (reply.Answer == MilterAnswer.Quarantine ? early : null) ?? throw new MilterTrouble($"it wants to change the message before it has seen it ({reply.Answer})");
            taker.Add(reply);
        }
    }
}
