using System.Text;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using Xunit;
using Office = CbaMail.Tests.Server.Smtp.Server.PostOffice;

namespace CbaMail.Tests.Server.Delivery;

public sealed class LocalDeliveryTests : IAsyncLifetime
{
    static readonly MailAddress Sender = Office.Address("sender@elsewhere.test");
    readonly Office office = new();

    public ValueTask InitializeAsync() => office.InitializeAsync();
    public ValueTask DisposeAsync() => office.DisposeAsync();

    DeliveryOrder Order(string text, params string[] recipients) => new()
    {
        ReversePath = Sender,
        Recipients = [.. recipients.Select(r => Office.Address(r)).Select(a => new DeliveryRecipient(a, office.Directory.Resolve(a).Value!))],
        Message = Encoding.UTF8.GetBytes(text),
    };

    async Task<IReadOnlyList<Refusal?>> Deliver(DeliveryOrder order) => await office.Delivery.DeliverAsync(order, default);

    [Fact]
    public async Task A_mailbox_gets_the_text_below_its_own_fields()
    {
        Assert.Equal([null], await Deliver(Order("Subject: x\r\n\r\ny\r\n", "ivan+shop@example.test")));
        Assert.Equal(["Return-Path: <sender@elsewhere.test>\r\nDelivered-To: ivan+shop@example.test\r\nSubject: x\r\n\r\ny\r\n"], office.Inbox("ivan"));
    }

    [Fact]
    public async Task A_shared_mailbox_has_an_address_for_those_who_may_post()
    {
        // RFC 4314 2.1, p; RFC 5233
        var (ivan, anna) = (office.Account("ivan"), office.Account("anna"));
        var shop = (await office.Mail.CreateAsync(ivan.Id, "Work/Shop", null, default)).Value!;
        async Task<int> AfterAsync(string detail, long? author)
        {
            Assert.Equal([null], await Deliver(Order("Subject: x\r\n\r\n", $"ivan+{detail}@example.test") with { Author = author }));
            return office.Inbox("ivan", "Work/Shop").Count;
        }
        Task GiveAsync(string who, Rights rights) => office.Mail.SetAclAsync(shop.Id, who, who == ivan.Address.ToString(), RightsMode.Set, rights, default).AsTask();

        Assert.Equal(0, await AfterAsync("work.shop", null)); // nobody may: INBOX, as ever
        await GiveAsync(anna.Address.ToString(), Rights.Lookup | Rights.Post);
        Assert.Equal(0, await AfterAsync("work.shop", null));
        Assert.Equal(1, await AfterAsync("work.shop", anna.Id));
        Assert.Equal(2, await AfterAsync("WORK/Shop", ivan.Id)); // the owner
        await GiveAsync("anyone", Rights.Post);
        Assert.Equal(3, await AfterAsync("Work.Shop", null));
        Assert.Equal(3, await AfterAsync("shop", null)); // no such one
        await GiveAsync("-" + anna.Address, Rights.Post);
        Assert.Equal(3, await AfterAsync("work.shop", anna.Id));
        await GiveAsync("-anyone", Rights.Post);
        Assert.Equal(3, await AfterAsync("work.shop", null));
        Assert.Equal(5, office.Inbox("ivan").Count);
    }

    [Fact]
    public async Task A_public_folder_has_an_address_for_those_who_may_post()
    {
        var anna = office.Account("anna");
        var domain = office.Directory.FindDomain("example.test")!;
        var news = (await office.Mail.CreateAsync(-domain.Id, "News/2026", null, default)).Value!;
        var address = Office.Address("public+news.2026@example.test");
        string? Status(long? who) => office.Directory.Resolve(address, new Poster(who)).Refusal?.Status;
        async Task<Refusal?> PostAsync(long? author, bool junk = false) => (await Deliver(new DeliveryOrder
        {
            ReversePath = Sender,
            Recipients = [new(address, office.Directory.Resolve(address, new Poster(anna.Id)).Value!)],
            Message = "Subject: x\r\n\r\n"u8.ToArray(),
            Author = author,
            Junk = junk,
        }))[0];
        List<MessageRow> Rows() { using var read = office.Mail.Read(); return read.Messages(news.Id); }

        Assert.Equal("5.1.1", Status(anna.Id)); // nobody may
        Assert.Null(await office.Mail.SetAclAsync(news.Id, anna.Address.ToString(), false, RightsMode.Set, Rights.Post, default));
        Assert.Equal((null, "5.1.1"), (Status(anna.Id), Status(null)));
        Assert.Equal("5.1.1", office.Directory.Resolve(address).Refusal?.Status); // whoever asks for nobody
        Assert.Null(await PostAsync(anna.Id));
        Assert.Equal("5.1.1", (await PostAsync(null))?.Status); // it is asked again when it is placed
        Assert.Null(await office.Mail.SetAclAsync(news.Id, "anyone", false, RightsMode.Set, Rights.Post, default));
        Assert.Null(Status(null));
        Assert.Null(await PostAsync(null));
        Assert.Null(await PostAsync(null, junk: true));
        Assert.Equal([null, null, "$Junk"], Rows().Select(row => row.Keywords));
        // by an alias
        Assert.True((await office.Directory.AddAliasAsync("news@example.test", [address.ToString()])).Ok);
        Assert.True(office.Directory.Resolve(Office.Address("news@example.test"), new Poster(null)).Ok);
        // whoever is really called so comes first
        Assert.True((await office.Directory.AddAliasAsync("public@example.test", ["ivan@example.test"])).Ok);
        Assert.Equal(office.Account("ivan").Id, office.Directory.Resolve(address, new Poster(null)).Value!.Single().Account!.Id);
    }

    [Fact]
    public async Task An_alias_and_its_member_are_one_copy()
    {
        await Deliver(Order("Subject: x\r\n\r\n", "team@example.test", "ivan@example.test", "anything@catch.test"));
        Assert.StartsWith("Return-Path: <sender@elsewhere.test>\r\nDelivered-To: ivan@example.test\r\nX-Original-To: team@example.test\r\n", Assert.Single(office.Inbox("ivan")), StringComparison.Ordinal);
        Assert.Single(office.Inbox("anna"));
    }

    [Fact]
    public async Task What_leads_elsewhere_is_queued_in_the_same_step()
    {
        await Deliver(Order("Subject: x\r\n\r\n", "away@example.test", "anna@example.test"));
        var entry = Assert.Single(office.Queue.List());
        Assert.Matches("^SRS0=[a-z2-7]{8}=[a-z2-7]{2}=elsewhere.test=sender@example.test$", entry.Sender); // passed on in our name
        Assert.Equal("far@elsewhere.test", Assert.Single(entry.Recipients).Address);
        Assert.Single(office.Inbox("anna"));
    }

    [Fact]
    public async Task Junk_goes_into_the_junk_mailbox_whatever_its_name()
    {
        var ivan = office.Account("ivan").Id;
        Assert.True((await office.Mail.RenameAsync(ivan, "Junk", "Спам", default)).Ok);
        Assert.Null(await office.Mail.DeleteAsync(office.Account("anna").Id, "Junk", default));
        Assert.Equal([null], await Deliver(Order("Subject: x\r\n\r\n", "team@example.test") with { Junk = true }));
        Assert.Empty(office.Inbox("ivan"));
        Assert.StartsWith("Return-Path: <sender@elsewhere.test>\r\nDelivered-To: ivan@example.test\r\n", Assert.Single(office.Inbox("ivan", "Спам")), StringComparison.Ordinal);
        Assert.Single(office.Inbox("anna", "Junk")); // made again
        using var reader = office.Mail.Read();
        var junk = reader.Find(ivan, "Спам")!;
        Assert.Equal("$Junk", Assert.Single(reader.Messages(junk.Id)).Keywords);
        Assert.Equal("\\Junk", reader.Find(office.Account("anna").Id, "Junk")!.SpecialUse);
    }

    [Fact]
    public async Task Junk_that_would_leave_is_held()
    {
        Assert.Equal([null], await Deliver(Order("Subject: x\r\n\r\n", "away@example.test") with { Junk = true }));
        var entry = Assert.Single(office.Queue.List());
        Assert.Equal("held", Assert.Single(entry.Recipients).State);
        Assert.Equal(1, (await office.Queue.ReleaseAsync(entry.Id)).Value);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(null, 1)]
    public async Task Junk_for_an_account_that_forwards_stays_in_its_junk(bool? keepCopy, int kept)
    {
        Assert.Null((await office.Directory.SetPolicyAsync("ivan@example.test", new MailPolicy { Forward = ["ivan@elsewhere.test", "i@elsewhere.test"], KeepCopy = keepCopy })).Refusal);
        Assert.Equal([null], await Deliver(Order("Subject: x\r\n\r\n", "ivan@example.test") with { Junk = true }));
        Assert.Empty(office.Queue.List());
        Assert.Equal(kept, office.Inbox("ivan", "Junk").Count);
        if (keepCopy == false) Assert.Matches("^Return-Path: <sender@elsewhere.test>\r\nDelivered-To: ivan@example.test\r\n(X-Junk-Reason: .*\r\n)?X-Not-Forwarded: (i|ivan)@elsewhere.test \\(judged to be junk\\)\r\nSubject", office.Inbox("ivan", "Junk")[0]);
        Assert.Equal([null], await Deliver(Order("Subject: x\r\n\r\n", "ivan@example.test")));
        Assert.Equal(2, Assert.Single(office.Queue.List()).Recipients.Count);
    }

    [Fact]
    public async Task A_notice_that_is_passed_on_stays_from_nobody_and_is_sealed_by_who_does_so()
    {
        await Deliver(Order("Subject: x\r\n\r\n", "away@example.test") with { ReversePath = null, Id = "t-1" });
        var entry = Assert.Single(office.Queue.List());
        Assert.Equal("", entry.Sender);
        using var read = office.Store.Read();
        var message = CbaMail.Queue.QueueTable.Message(read, entry.Id)!;
        Assert.Equal((true, "example.test"), (message.Forwarded, message.Sealer));
    }

    static DeliveryRecipient Copy(Office office, string address) =>
        new(Office.Address(address), office.Directory.Resolve(Office.Address(address)) is { Ok: true, Value: var targets } ? targets : [new Target(null, null, Office.Address(address))], "NEVER") { IsCopy = true };

    [Fact]
    public async Task A_copy_by_policy_is_made_only_where_somebody_has_the_message()
    {
        var order = Order("Subject: x\r\n\r\n", "anna@example.test");
        order = order with { Recipients = [.. order.Recipients, Copy(office, "ivan@example.test"), Copy(office, "archive@elsewhere.test")] };
        Assert.Null(await office.Directory.RemoveAccountAsync(office.Account("anna"))); // since RCPT
        var outcome = await Deliver(order);
        Assert.Equal("5.1.1", outcome[0]?.Status);
        Assert.Empty(office.Inbox("ivan"));
        Assert.Empty(office.Queue.List());

        var full = Order(new string('x', 500), "full@example.test");
        Assert.Equal("5.2.2", (await Deliver(full with { Recipients = [.. full.Recipients, Copy(office, "ivan@example.test")] }))[0]?.Status);
        Assert.Empty(office.Inbox("ivan"));

        var taken = Order("Subject: y\r\n\r\n", "плюс@example.test");
        Assert.Null((await Deliver(taken with { Recipients = [.. taken.Recipients, Copy(office, "ivan@example.test"), Copy(office, "archive@elsewhere.test")] }))[0]);
        Assert.Single(office.Inbox("ivan"));
        Assert.Equal("archive@elsewhere.test", Assert.Single(Assert.Single(office.Queue.List()).Recipients).Address);
    }

    [Fact]
    public async Task Junk_counts_for_the_quota()
    {
        Assert.Equal(["5.2.2"], (await Deliver(Order(new string('x', 500), "full@example.test") with { Junk = true })).Select(r => r?.Status));
    }

    [Fact]
    public async Task A_full_mailbox_alone_is_refused()
    {
        Assert.Equal(["5.2.2"], (await Deliver(Order(new string('x', 500), "full@example.test"))).Select(r => r?.Status));
        Assert.Single(office.Inbox("full"));
    }

    [Fact]
    public async Task Among_others_it_goes_over_by_one_message()
    {
        Assert.Equal([null, null], await Deliver(Order(new string('x', 500), "full@example.test", "ivan@example.test")));
        Assert.Equal(2, office.Inbox("full").Count);
        Assert.Equal(["5.2.2"], (await Deliver(Order("x", "full@example.test"))).Select(r => r?.Status));
    }

    [Fact]
    public async Task Unless_each_is_answered_for_itself()
    {
        var outcome = await Deliver(Order(new string('x', 500), "full@example.test", "ivan@example.test") with { Separate = true });
        Assert.Equal(["5.2.2", null], outcome.Select(r => r?.Status));
        Assert.Single(office.Inbox("ivan"));
    }

    [Fact]
    public async Task Large_fan_outs_go_in_pieces()
    {
        var accounts = await office.Directory.AddAccountsAsync([.. Enumerable.Range(0, 600).Select(i => new NewAccount($"p{i}@example.test"))]);
        var order = new DeliveryOrder
        {
            ReversePath = Sender,
            Message = "Subject: all\r\n\r\n"u8.ToArray(),
            Recipients = [.. accounts.Select(a => new DeliveryRecipient(a.Value!.Address, [new Target(a.Value, null, null)]))],
        };
        Assert.All(await Deliver(order), Assert.Null);
        Assert.Single(office.Inbox("p0"));
        Assert.Single(office.Inbox("p599"));
    }

    /// <summary>Two addresses of one mailbox: what it refuses is refused to both, and not answered as taken.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task A_full_mailbox_is_refused_under_each_of_its_names(bool separate)
    {
        Assert.True((await office.Directory.AddAliasAsync("brim@example.test", ["full@example.test"])).Ok);
        var outcome = await Deliver(Order(new string('x', 500), "full@example.test", "brim@example.test") with { Separate = separate });
        Assert.Equal(["5.2.2", "5.2.2"], outcome.Select(r => r?.Status));
        Assert.Single(office.Inbox("full"));
        Assert.Empty(office.Queue.List());
    }

    /// <summary>RFC 5321 6.1: one answer for all has to be yes, so for whom it was not true the queue has it: it asks once more, and tells the sender.</summary>
    [Theory, InlineData("right"), InlineData("account")]
    public async Task Who_is_not_there_any_more_among_others_is_not_lost(string gone)
    {
        var news = (await office.Mail.CreateAsync(-office.Directory.FindDomain("example.test")!.Id, "News", null, default)).Value!;
        Assert.Null(await office.Mail.SetAclAsync(news.Id, "anyone", false, RightsMode.Set, Rights.Post, default));
        var address = Office.Address(gone == "right" ? "public+news@example.test" : "anna@example.test");
        var order = Order("Subject: x\r\n\r\n", "ivan@example.test");
        order = order with { Recipients = [new(address, office.Directory.Resolve(address, new Poster(null)).Value!, "FAILURE", "rfc822;first@list.test"), .. order.Recipients] };
        if (gone == "right") Assert.Null(await office.Mail.SetAclAsync(news.Id, "anyone", false, RightsMode.Remove, Rights.Post, default));
        else await office.Directory.RemoveAccountAsync(office.Account("anna"));
        Assert.Equal([null, null], await Deliver(order));
        Assert.Single(office.Inbox("ivan"));
        var entry = Assert.Single(office.Queue.List());
        Assert.Equal(Sender.ToString(), entry.Sender);
        Assert.Equal(address.ToString(), Assert.Single(entry.Recipients).Address);
        // alone, or each for itself, it is an answer
        Assert.Equal(["5.1.1"], (await Deliver(order with { Recipients = [order.Recipients[0]] })).Select(r => r?.Status));
        Assert.Equal(["5.1.1", null], (await Deliver(order with { Separate = true })).Select(r => r?.Status));
        Assert.Single(office.Queue.List());
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_member_of_an_alias_that_has_gone_is_told_of_alone(bool separate)
    {
        var order = Order("Subject: x\r\n\r\n", "team@example.test") with { Separate = separate };
        await office.Directory.RemoveAccountAsync(office.Account("anna"));
        Assert.Equal([null], await Deliver(order));
        Assert.Single(office.Inbox("ivan"));
        // by its own address: by the alias's the others would get it again
        Assert.Equal("anna@example.test", Assert.Single(Assert.Single(office.Queue.List()).Recipients).Address);
    }

    [Fact]
    public async Task An_account_that_has_gone_is_refused()
    {
        var order = Order("x", "ivan@example.test");
        await Deliver(order);
        await office.Directory.RemoveAccountAsync(office.Account("ivan"));
        Assert.Equal(["5.1.1"], (await Deliver(order)).Select(r => r?.Status));
    }

    [Fact]
    public async Task Success_is_told_to_those_who_asked()
    {
        var order = Order("Subject: x\r\n\r\n", "anna@example.test") with { ReversePath = Office.Address("ivan@example.test"), EnvelopeId = "QQ314" };
        await Deliver(order with { Recipients = [order.Recipients[0] with { Notify = "SUCCESS,FAILURE", OriginalRecipient = "rfc822;Anna@example.test" }] });
        var notice = Assert.Single(office.Inbox("ivan"));
        Assert.StartsWith("Return-Path: <>\r\n", notice, StringComparison.Ordinal);
        Assert.Contains("Action: delivered\r\n", notice, StringComparison.Ordinal);
        Assert.Contains("Original-Envelope-Id: QQ314\r\n", notice, StringComparison.Ordinal);
        Assert.Contains("Original-Recipient: rfc822; Anna@example.test\r\n", notice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_message_for_one_address()
    {
        Assert.Null(await office.Delivery.DeliverAsync(null, Office.Address("anna@example.test"), "Subject: x\r\n\r\n"u8.ToArray(), default));
        Assert.Equal("5.1.1", (await office.Delivery.DeliverAsync(null, Office.Address("nobody@example.test"), "x"u8.ToArray(), default))!.Status);
        Assert.StartsWith("Return-Path: <>\r\n", Assert.Single(office.Inbox("anna")), StringComparison.Ordinal);
    }

    // a letter of a merge: long text that hardly compresses, the same for all, and a name
    DeliveryOrder Letter(int number, string to = "anna@example.test", int seed = 1)
    {
        var noise = new byte[12_000];
        new Random(seed).NextBytes(noise);
        var text = Convert.ToBase64String(noise, Base64FormattingOptions.InsertLineBreaks);
        return Order($"Subject: letter {number}\r\n\r\nDear number {number},\r\n{text}\r\n", to) with { Author = office.Account("ivan").Id };
    }

    long Stored(long content)
    {
        using var reader = office.Mail.Read();
        return ContentTable.Get(reader.Transaction, content)!.Location.Stored;
    }

    [Fact]
    public async Task Letters_of_ones_own_that_resemble_each_other_are_stored_as_differences()
    {
        for (var i = 0; i < 3; i++) Assert.Equal([null], await Deliver(Letter(i)));
        Assert.Equal([null], await Deliver(Letter(3) with { Author = office.Account("anna").Id })); // somebody else's stands for itself
        var inbox = office.Inbox("anna");
        for (var i = 0; i < 4; i++) Assert.EndsWith(Encoding.UTF8.GetString(Letter(i).Message.Span), inbox[i], StringComparison.Ordinal);
        using var reader = office.Mail.Read();
        var box = reader.Find(office.Account("anna").Id, "INBOX")!;
        var sizes = reader.Messages(box.Id).Select(row => Stored(row.ContentId)).ToArray();
        Assert.True(sizes[1] < 1000 && sizes[2] < 1000, $"stored {string.Join(", ", sizes)}");
        Assert.True(sizes[0] > 10_000 && sizes[3] > 10_000, $"stored {string.Join(", ", sizes)}");
    }

    [Fact]
    public async Task A_letter_comes_though_the_one_that_it_resembles_is_gone()
    {
        await Deliver(Letter(0));
        await RemoveAsync("anna", 1);
        Assert.Equal([null], await Deliver(Letter(1)));
        Assert.Equal([null], await Deliver(Letter(2)));
        await RemoveAsync("anna", 2); // what the last one hangs on
        Assert.EndsWith(Encoding.UTF8.GetString(Letter(2).Message.Span), Assert.Single(office.Inbox("anna")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Letters_that_do_not_resemble_each_other_stand_for_themselves()
    {
        for (var i = 0; i < 40; i++) Assert.Equal([null], await Deliver(Letter(i, seed: i)));
        var inbox = office.Inbox("anna");
        for (var i = 0; i < 40; i++) Assert.EndsWith(Encoding.UTF8.GetString(Letter(i, seed: i).Message.Span), inbox[i], StringComparison.Ordinal);
    }

    async Task RemoveAsync(string local, uint uid)
    {
        await office.Mail.StoreAsync(Inbox(local), [uid], new FlagChange(FlagMode.Add, MessageFlags.Deleted, []), null, default);
        await office.Mail.ExpungeAsync(Inbox(local), [uid], default);
    }

    long Inbox(string local)
    {
        using var reader = office.Mail.Read();
        return reader.Find(office.Account(local).Id, "INBOX")!.Id;
    }

    [Fact]
    public void A_full_disk_is_known_by_its_number() => Assert.True(StoreTrouble.Of(new IOException("No space left on device", 28)) == Refusal.DiskFull);
}
