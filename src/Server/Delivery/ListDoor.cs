using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Lists;
using CbaMail.Mailings;
using CbaMail.Queue;
using CbaMail.Storage;

namespace CbaMail.Delivery;

/// <summary>Hands what is for an address of a list to the room Lists, and what is for one of a course to Mailings; what is for a list's owners goes on to them.</summary>
public sealed class ListDoor(ListBook book, ListPosts posts, ListCommands commands, UserDirectory directory, ListBounces? bounces = null, CourseAddresses? courses = null)
{
    /// <summary>Whether the target is an address of a list.</summary>
    public bool Serves(Target target) => target.Served is { } address && (book.Serves(address) || courses?.Serves(address) == true);

    /// <summary>Where mail for the owners of a list goes; nothing of any other target.</summary>
    public IEnumerable<Target> PassedOn(Target target)
    {
        if (target.Served is not { } address || !book.TryFind(address, out var list, out var command, out _) || command != ListCommand.Owner) return [];
        return book.OwnersOf(list).SelectMany(owner => directory.IsLocal(owner)
            ? directory.Resolve(owner) is { Ok: true, Value: var targets } ? targets.Where(one => !Serves(one)) : []
            : [new Target(null, null, owner, list.Address)]);
    }

    /// <summary>Takes the message for the target.</summary>
    /// <returns>Null, or why it was not taken.</returns>
    public async ValueTask<Refusal?> TakeAsync(Target target, DeliveryOrder order, CancellationToken cancel)
    {
        if (target.Served is { } course && courses?.Serves(course) == true)
            return await courses.TakeAsync(course, new CourseMail(order.ReversePath, order.Message, (order.Author ?? order.Poster) is { } teacher ? directory.GetAccount(teacher) : null, order.Proven?.Author, order.Junk, order.Id), cancel);
        if (target.Served is not { } address || !book.TryFind(address, out var list, out var command, out var token)) return Refusal.NoSuchUser; // removed since RCPT
        if (command == ListCommand.Owner) return PassedOn(target).Any() ? null : Refusal.NoSuchUser;
        var mail = new ListMail(order.ReversePath, order.Message, (order.Author ?? order.Poster) is { } author ? directory.GetAccount(author) : null, order.Proven?.Author, order.Signatures, order.Junk, order.RequireTls, order.SmtpUtf8, order.Id,
            order.Door.Length > 0 ? order.Door : order.Origin, null);
        return command == ListCommand.Post ? await posts.TakeAsync(list, mail, cancel) : await commands.TakeAsync(list, command, token, mail, cancel);
    }

    /// <summary>What a return address of a copy says of its member.</summary>
    internal void Bounced(WriteTransaction write, BounceTicket ticket, BounceCause cause, string reply, string arrival) => bounces?.Bounced(write, ticket, cause, reply, arrival);

    internal MailAddress? OwnerOf(long member) => commands.FindMember(member) is var (list, _) ? list.For(ListCommand.Owner) : null;
}
