using System.Buffers;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailings;

namespace CbaMail.Delivery;

/// <summary>
/// A mailing as one of its readers would get it, sent to who is to look at it first. It stands in no ledger, and the way out in it leads nowhere:
/// whoever looks at it takes nobody off.
/// </summary>
public sealed class TestCopies(PressRoom press, LocalDelivery delivery, UserDirectory directory, TimeProvider time)
{
    /// <summary>How many may look at it at a time.</summary>
    public const int Most = 10;

    /// <summary>Copies of the mailings of one course in an hour.</summary>
    public const int MostHourly = 100;

    readonly NoticeRate rate = new(MostHourly, time);

    /// <param name="reader">Whose copy it is; null: that of the first whom it is for.</param>
    /// <returns>The address whose copy was sent.</returns>
    public async ValueTask<Result<string>> SendAsync(long mailing, IReadOnlyList<string> to, string? reader, CancellationToken cancel)
    {
        if (to.Count is 0 or > Most) return Refusal.Invalid.Because($"A test goes to 1 to {Most} addresses").At("to");
        var addresses = new List<(MailAddress Address, IReadOnlyList<Target> Targets)>();
        foreach (var text in to)
        {
            if (!Names.TryAddress(text, out var address)) return Refusal.BadAddress.Because($"\"{Courses.ParticipantFile.OneLine(text ?? "")}\" is not a valid address").At("to");
            if (!directory.IsLocal(address)) addresses.Add((address, [new(null, null, address)]));
            else if (directory.Resolve(address) is { Ok: true, Value: var targets }) addresses.Add((address, targets));
            else return Refusal.NoSuchUser.At("to");
        }
        var composer = press.ComposerOf(mailing);
        if (!composer.Ok) return composer.Refusal;
        var person = press.ReaderOf(composer.Value, reader);
        if (!person.Ok) return person.Refusal.At("as");
        if (!MailAddress.TryParse(composer.Value.Mailing.FromAddress, out var from)) return Refusal.BadAddress;
        var (whose, mark) = (person.Value, composer.Value.Course.Language == "ru" ? "[Проба] " : "[Test] ");
        foreach (var (address, targets) in addresses)
        {
            if (!rate.Allows(composer.Value.Course.Slug)) return Refusal.TooMany.Because($"At most {MostHourly} test letters of a course are sent in an hour");
            var output = new ArrayBufferWriter<byte>(32 * 1024);
            composer.Value.Compose(new LedgerWork(0, whose.Id, whose.Address, whose.Name, whose.Fields, 0, $"test.{UserDirectory.RandomName()}@{from.Domain}"), output, test: new(mark, address.ToString()));
            var order = new DeliveryOrder { ReversePath = from, Recipients = [new(address, targets, "NEVER")], Message = output.WrittenMemory, Origin = $"test of mailing {mailing}" };
            if ((await delivery.DeliverAsync(order, cancel))[0] is { } refusal) return refusal.At("to");
        }
        return whose.Address;
    }
}
