namespace CbaMail.Imap.Commands;

/// <summary>NOTIFY (RFC 5465): what the client wants to hear of, also while no command runs. The rest is <see cref="Watch"/>'s.</summary>
internal static class NotifyCommand
{
    /// <summary>RFC 5465 3.1: more is too complex.</summary>
    const int MaxGroups = 100, MaxNames = 1000;

    // RFC 5465 3.1, 8: those of us, in the answer to one that is not
    const string Supported = "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)";

    public static ValueTask<Outcome> Run(ImapSession session, ref ImapReader arguments)
    {
        arguments.Space();
        WatchRequest? request = null;
        switch (arguments.Keyword())
        {
            case "NONE": break;
            case "SET": request = Parse(ref arguments); break;
            default: arguments.Fail("SET or NONE"); break;
        }
        arguments.End();
        if (arguments.Failed) return new(Outcome.Bad(arguments));
        if (request is { HasUnknown: true }) return new(Outcome.No("Some of these events are not told here", Supported));
        if (request is { IsTooMuch: true }) return new(Outcome.No("These are more mailboxes than can be watched", "NOTIFICATIONOVERFLOW"));
        return SetAsync(session, request ?? new WatchRequest());
    }

    static async ValueTask<Outcome> SetAsync(ImapSession session, WatchRequest request)
    {
        var watch = new Watch(session, request);
        if (!watch.Begin())
        {
            watch.Dispose();
            return Outcome.No("These are more mailboxes than can be watched", "NOTIFICATIONOVERFLOW");
        }
        session.Watch?.Dispose();
        session.Watch = watch;
        if (request.Server || request.Groups.Exists(group => (group.Events & WatchEvents.Metadata) != 0)) session.Metadata ??= new MetadataNews(session); // RFC 5465 5.6: ENABLE METADATA is not needed
        watch.RefuseUnreadable();
        if (request.Status) await watch.StatusAsync();
        return Outcome.Done; // RFC 5465 3.1: with an implicit NOOP, as after every command
    }

    // RFC 5465 8: notify-set = "SET" [status-indicator] SP event-groups
    static WatchRequest Parse(ref ImapReader arguments)
    {
        var request = new WatchRequest();
        arguments.Space();
        if (arguments.Next != '(')
        {
            if (arguments.Keyword() != "STATUS") arguments.Fail("STATUS or a group of events");
            request.Status = true;
            arguments.Space();
        }
        var groups = 0;
        do
        {
            Group(ref arguments, request);
            if (++groups > MaxGroups) request.IsTooMuch = true;
        }
        while (!arguments.Failed && arguments.Take((byte)' ') && !arguments.AtEnd);
        return request;
    }

    static void Group(ref ImapReader arguments, WatchRequest request)
    {
        arguments.Open();
        var word = arguments.Keyword();
        var isSelected = word is "SELECTED" or "SELECTED-DELAYED";
        WatchScope? scope = word switch
        {
            "INBOXES" or "PERSONAL" => WatchScope.Personal, // RFC 5465 6.3: rules may file mail into any mailbox
            "SUBSCRIBED" => WatchScope.Subscribed,
            "SUBTREE" => WatchScope.Subtree,
            "MAILBOXES" => WatchScope.Mailboxes,
            _ => null,
        };
        if (!isSelected && scope is null) arguments.Fail("which mailboxes");
        var names = new List<string>();
        if (scope is WatchScope.Subtree or WatchScope.Mailboxes) Names(ref arguments, names, request);
        arguments.Space();
        FetchItems? items = null;
        var events = Events(ref arguments, request, ref items, isSelected);
        arguments.Close();
        if (arguments.Failed) return;
        // RFC 5465 5: one of them needs the other, and changes of flags both
        var news = events & (WatchEvents.MessageNew | WatchEvents.MessageExpunge);
        if (news is WatchEvents.MessageNew or WatchEvents.MessageExpunge) arguments.Refuse("MessageNew and MessageExpunge go together");
        if ((events & WatchEvents.FlagChange) != 0 && news == 0) arguments.Refuse("FlagChange goes with MessageNew and MessageExpunge");
        if (!isSelected)
        {
            if (events != WatchEvents.None) request.Groups.Add(new WatchGroup(scope!.Value, names, events));
            return;
        }
        // RFC 5465 6.1
        if ((events & ~WatchEvents.OfMessages) != 0) arguments.Refuse("Of the selected mailbox only events of messages are told");
        if (request.HasSelected) arguments.Refuse("The selected mailbox stands there twice");
        (request.HasSelected, request.IsDelayed, request.Selected, request.Items) = (true, word == "SELECTED-DELAYED", events, items);
    }

    // RFC 5465 8, one-or-more-mailbox; 6.6: no wildcards
    static void Names(ref ImapReader arguments, List<string> names, WatchRequest request)
    {
        arguments.Space();
        if (!arguments.TakeOpen())
        {
            names.Add(arguments.Mailbox());
            return;
        }
        do
        {
            var name = arguments.Mailbox();
            if (names.Count < MaxNames) names.Add(name);
            else request.IsTooMuch = true;
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
    }

    static WatchEvents Events(ref ImapReader arguments, WatchRequest request, ref FetchItems? items, bool isSelected)
    {
        var events = WatchEvents.None;
        if (arguments.Next != '(')
        {
            if (arguments.Keyword() != "NONE") arguments.Fail("events or NONE");
            return events;
        }
        arguments.Open();
        do
        {
            switch (arguments.Keyword())
            {
                case "MESSAGENEW":
                    events |= WatchEvents.MessageNew;
                    var ahead = arguments;
                    if (!ahead.Take((byte)' ') || ahead.Next != '(') break;
                    arguments.Space();
                    if (!isSelected) arguments.Refuse("Only new messages of the selected mailbox can be fetched"); // RFC 5465 8
                    items = FetchItems.Parse(ref arguments);
                    break;
                case "MESSAGEEXPUNGE": events |= WatchEvents.MessageExpunge; break;
                case "FLAGCHANGE": events |= WatchEvents.FlagChange; break;
                case "MAILBOXNAME": events |= WatchEvents.MailboxName; break;
                case "SUBSCRIPTIONCHANGE": events |= WatchEvents.SubscriptionChange; break;
                case "MAILBOXMETADATACHANGE": events |= WatchEvents.Metadata; break;
                case "SERVERMETADATACHANGE":
                    if (isSelected) arguments.Refuse("Of the selected mailbox only events of messages are told");
                    request.Server = true;
                    break;
                // RFC 5465 3.1: NO, not BAD, and the events that there are
                default: request.HasUnknown = true; break;
            }
        }
        while (!arguments.Failed && arguments.Take((byte)' '));
        arguments.Close();
        return events;
    }
}
