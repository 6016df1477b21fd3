namespace CbaMail.Lists;

/// <summary>What is asked of a list by the address that is written to.</summary>
public enum ListCommand { Post, Subscribe, Unsubscribe, Confirm, Help, Owner, Request, Accept, Reject, Set }

/// <summary>The addresses of a list: its own, and <c>list-subscribe</c>, <c>list-confirm+TOKEN</c> and so on, as mlmmj has them.</summary>
public static class ListAddress
{
    static readonly (string End, ListCommand Command, bool HasToken)[] Ends =
    [
        ("-subscribe", ListCommand.Subscribe, false), ("-unsubscribe", ListCommand.Unsubscribe, false), ("-confirm", ListCommand.Confirm, true), ("-help", ListCommand.Help, false),
        ("-owner", ListCommand.Owner, false), ("-request", ListCommand.Request, false), ("-accept", ListCommand.Accept, true), ("-reject", ListCommand.Reject, true),
    ];

    /// <summary>Takes a local part apart; one that has no such end is the list's own.</summary>
    public static (string List, ListCommand Command, string? Token) Read(string local)
    {
        var plus = local.IndexOf('+', StringComparison.Ordinal);
        var (name, token) = plus < 0 ? (local, null) : (local[..plus], local[(plus + 1)..]);
        // club+set-digest: how one wants to get mail
        if (token?.StartsWith("set-", StringComparison.OrdinalIgnoreCase) == true && ListMember.IsMode(token[4..].ToLowerInvariant())) return (name, ListCommand.Set, token[4..].ToLowerInvariant());
        foreach (var (end, command, hasToken) in Ends)
            if (name.EndsWith(end, StringComparison.OrdinalIgnoreCase) && name.Length > end.Length && hasToken == token is { Length: > 0 and <= 64 }) return (name[..^end.Length], command, token);
        return (local, ListCommand.Post, null);
    }

    public static string Write(string list, ListCommand command, string? token = null) =>
        command == ListCommand.Post ? list : command == ListCommand.Set ? list + "+set-" + token : list + Array.Find(Ends, end => end.Command == command).End + (token is null ? "" : "+" + token);
}
