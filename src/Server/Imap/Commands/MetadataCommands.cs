using System.Text;
using CbaMail.Directory;
using CbaMail.Imap.Searching;
using CbaMail.Mailboxes;

namespace CbaMail.Imap.Commands;

/// <summary>GETMETADATA and SETMETADATA (RFC 5464 4.2, 4.3), and their answer for LIST RETURN (METADATA ...) (RFC 9590).</summary>
internal static class MetadataCommands
{
    /// <summary>Entries that one command may name.</summary>
    const int MostEntries = 200;

    /// <summary>RFC 5464 4.2.1, 4.2.2; depth 0, 1 or all.</summary>
    sealed record Request
    {
        public long? MaxSize { get; set; }
        public int Depth { get; set; }
        public List<string> Entries { get; } = [];
    }

    public static ValueTask<Outcome> Get(ImapSession session, ref ImapReader arguments)
    {
        var request = new Request();
        arguments.Space();
        // the grammar has the options before the mailbox, the examples behind it: both are understood
        if (arguments.TakeOpen())
        {
            Options(ref arguments, request);
            arguments.Space();
        }
        var name = arguments.Mailbox();
        arguments.Space();
        if (arguments.TakeOpen())
        {
            if (char.IsAsciiLetter((char)arguments.Next))
            {
                Options(ref arguments, request);
                arguments.Space();
                if (arguments.TakeOpen()) Entries(ref arguments, request);
                else Entry(ref arguments, request);
            }
            else Entries(ref arguments, request);
        }
        else
        {
            do Entry(ref arguments, request);
            while (!arguments.Failed && arguments.Take((byte)' ') && !arguments.AtEnd);
        }
        arguments.End();
        return new(arguments.Failed ? Outcome.Bad(arguments) : Answer(session, name, request));
    }

    static void Options(ref ImapReader arguments, Request request)
    {
        do
        {
            switch (arguments.Keyword())
            {
                case "MAXSIZE":
                    arguments.Space();
                    request.MaxSize = arguments.Number64();
                    break;
                case "DEPTH":
                    arguments.Space();
                    var depth = arguments.Astring().ToUpperInvariant();
                    if (depth is not ("0" or "1" or "INFINITY")) arguments.Fail("0, 1 or infinity");
                    request.Depth = depth switch { "0" => 0, "1" => 1, _ => int.MaxValue };
                    break;
                case var word: arguments.Refuse($"{word} is not an option of GETMETADATA"); break;
            }
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
    }

    static void Entries(ref ImapReader arguments, Request request)
    {
        do Entry(ref arguments, request);
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
    }

    static void Entry(ref ImapReader arguments, Request request)
    {
        var text = arguments.Astring();
        if (arguments.Failed) return;
        if (request.Entries.Count >= MostEntries) arguments.Refuse("Too many entries");
        else if (Annotations.Normalize(text, least: 1) is { } entry) request.Entries.Add(entry);
        else arguments.Refuse("This is not the name of an entry"); // RFC 5464 3.2
    }

    /// <summary>The entries that LIST RETURN (METADATA (...)) names (RFC 9590 4).</summary>
    public static List<string> ListEntries(ref ImapReader arguments)
    {
        var request = new Request();
        arguments.Space();
        arguments.Open();
        Entries(ref arguments, request);
        return request.Entries;
    }

    static Outcome Answer(ImapSession session, string name, Request request)
    {
        List<Annotation> all;
        var shown = name;
        using (var reader = session.Mail.Read())
        {
            if (name.Length == 0) all = OfServer(session, reader);
            else
            {
                if (Refusing(session, session.Find(reader, name), out var access) is { } refusal) return refusal;
                all = OfMailbox(session, reader, access);
                shown = access.Name;
            }
        }
        var found = Choose(all, request);
        var longest = 0;
        if (request.MaxSize is { } most)
        {
            longest = found.Where(one => one.Value?.Length > most).Select(one => one.Value!.Length).DefaultIfEmpty(0).Max();
            found.RemoveAll(one => one.Value?.Length > most);
        }
        Write(session.Writer, shown, found);
        // RFC 5464 4.2.1
        return longest > 0 ? Outcome.Ok($"METADATA LONGENTRIES {longest}", "GETMETADATA completed; the longest are left out") : Outcome.Done;
    }

    /// <summary>What is asked for: an entry that is named and not there is NIL; those below it only where they are.</summary>
    static List<(string Entry, byte[]? Value)> Choose(List<Annotation> all, Request request)
    {
        var chosen = new List<(string, byte[]?)>();
        var told = new HashSet<string>();
        foreach (var entry in request.Entries)
        {
            var at = all.FindIndex(one => one.Entry == entry);
            if ((at >= 0 || request.Depth == 0) && told.Add(entry)) chosen.Add((entry, at < 0 ? null : all[at].Value));
            if (request.Depth == 0) continue;
            foreach (var (below, value) in all)
                if (below.StartsWith(entry + "/", StringComparison.Ordinal) && below.AsSpan(entry.Length).Count('/') <= request.Depth && told.Add(below)) chosen.Add((below, value));
        }
        return chosen;
    }

    /// <summary>One METADATA response of a mailbox for LIST, which asks for these entries.</summary>
    public static void Write(ImapSession session, Access access, List<Annotation> all, List<string> entries)
    {
        if (Allows(access)) Write(session.Writer, access.Name, [.. entries.Select(entry => (entry, all.Find(one => one.Entry == entry).Value))]);
    }

    static void Write(ImapWriter writer, string name, List<(string Entry, byte[]? Value)> found)
    {
        if (found.Count == 0) return;
        writer.Write("* METADATA "u8).Mailbox(name).Write(" ("u8);
        for (var i = 0; i < found.Count; i++)
        {
            if (i > 0) writer.Space();
            Name(writer, found[i].Entry).Space();
            if (found[i].Value is not { } value) writer.Write("NIL"u8);
            else if (value.AsSpan().Contains((byte)0)) writer.Write("~"u8).Literal(value); // RFC 5464 5: value = nstring / literal8
            else writer.String(value);
        }
        writer.Write(")\r\n"u8);
    }

    /// <summary>What has changed, without what it is now (RFC 5464 4.4.2).</summary>
    public static void WriteNames(ImapWriter writer, string mailbox, IEnumerable<string> entries)
    {
        writer.Write("* METADATA "u8).Mailbox(mailbox);
        foreach (var entry in entries) Name(writer.Space(), entry);
        writer.EndLine();
    }

    static ImapWriter Name(ImapWriter writer, string entry) =>
        entry.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_' or '.' or '+' or ':') ? writer.Write(entry) : writer.Quoted(entry);

    // RFC 5464 3.3: l and one of these
    public static bool Allows(Access access) => access.Has(Rights.Lookup) && (access.Rights & (Rights.Read | Rights.Seen | Rights.Write | Rights.Insert | Rights.Post)) != 0;

    static Outcome? Refusing(ImapSession session, Access? found, [System.Diagnostics.CodeAnalysis.NotNull] out Access? access) =>
        session.Refusing(found, Rights.Lookup, out access) ?? (Allows(access!) ? null : SessionView.NotAllowed);

    static List<Annotation> OfServer(ImapSession session, MailReader reader)
    {
        var all = reader.Annotations(0, session.Account.Id);
        // RFC 5464 3.2.1.1: read only; who reads it is always there (RFC 5321 4.5.1)
        all.Add(new("/shared/admin", Encoding.ASCII.GetBytes($"mailto:postmaster@{session.Account.Address.Domain}")));
        return all;
    }

    public static List<Annotation> OfMailbox(ImapSession session, MailReader reader, Access access)
    {
        var all = reader.Annotations(access.Mailbox.Id, session.Account.Id);
        if (access is { IsOwn: true, Mailbox.SpecialUse: { } use }) all.Add(new(Annotations.SpecialUse, Encoding.ASCII.GetBytes(use))); // RFC 6154 4
        return all;
    }

    public static ValueTask<Outcome> Set(ImapSession session, ref ImapReader arguments)
    {
        var values = new List<(string Entry, byte[]? Value)>();
        arguments.Space();
        var name = arguments.Mailbox();
        arguments.Space();
        arguments.Open();
        do
        {
            var entry = Annotations.Normalize(arguments.Astring());
            arguments.Space();
            byte[]? value = null;
            if (arguments.IsString) value = arguments.StringBytes().ToArray();
            else if (arguments.Keyword() != "NIL") arguments.Fail("a string or NIL");
            if (entry is null && !arguments.Failed) arguments.Refuse("This is not the name of an entry");
            else if (values.Count >= MostEntries) arguments.Refuse("Too many entries");
            else if (!arguments.Failed) values.Add((entry!, value));
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
        arguments.End();
        return arguments.Failed ? new(Outcome.Bad(arguments)) : SetAsync(session, name, values);
    }

    static async ValueTask<Outcome> SetAsync(ImapSession session, string name, List<(string Entry, byte[]? Value)> values)
    {
        if (values.Exists(one => one.Value?.Length > Annotations.MaxValue)) return Outcome.No("The value is too long", $"METADATA MAXSIZE {Annotations.MaxValue}"); // RFC 5464 4.3
        long mailboxId = 0;
        if (name.Length == 0)
        {
            if (values.Exists(one => one.Entry == "/shared/admin")) return Outcome.No("This entry is the server's own", "CANNOT");
            // RFC 5464 3.3: what everybody sees of the server is the administrators' to say
            if (values.Exists(one => one.Entry.StartsWith("/shared/", StringComparison.Ordinal)) && session.Viewer().Role != Role.Admin)
                return Outcome.No("Only administrators say what everybody sees of the server", "NOPERM");
            if (Filters.Refusing(session, values) is { } wrong) return wrong;
        }
        else
        {
            if (Refusing(session, session.Find(name), out var access) is { } refusal) return refusal;
            // whoever may only read is not to write what the others read
            if (values.Exists(one => one.Entry.StartsWith("/shared/", StringComparison.Ordinal)) && !access.Has(Rights.Write)) return SessionView.NotAllowed;
            if (Uses(access, values) is { } wrong) return wrong;
            mailboxId = access.Mailbox.Id;
        }
        return await session.Mail.AnnotateAsync(mailboxId, session.Account.Id, values, session.Cancel, session.Connection.Id) is { } no ? Outcome.No(no) : Outcome.Done;
    }

    // RFC 6154 4
    static Outcome? Uses(Access access, List<(string Entry, byte[]? Value)> values)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i].Entry != Annotations.SpecialUse) continue;
            if (!access.IsOwn) return SessionView.NotAllowed;
            if (values[i].Value is not { Length: > 0 } value) continue;
            if (CreateCommand.UseOf(Encoding.ASCII.GetString(value)) is not { } use) return Outcome.No("This is not a use that a mailbox can have here", "USEATTR");
            values[i] = (Annotations.SpecialUse, Encoding.ASCII.GetBytes(use));
        }
        return null;
    }
}
