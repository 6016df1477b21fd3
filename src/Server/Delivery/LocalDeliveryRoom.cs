namespace CbaMail.Delivery;

/// <summary>
/// Local delivery: an envelope and a text become rows in mailboxes and rows in the queue, in one durable step (two and more
/// for large fan-outs, 250 rows each, the queue rows with the last).
///
/// One account gets one copy of a message, whichever aliases lead to it; two "+" details of an account are two copies.
/// What differs a recipient (Return-Path, Delivered-To, X-Original-To) is the row's prefix; the body is shared.
///
/// Does not: judge (Inbound), send (RemoteDelivery), know protocols. Rules to keep: nothing is acknowledged before it is durable;
/// a full disk is a temporary refusal; a full mailbox among several goes over by one message rather than have a bounce written,
/// unless the order says that each recipient is answered for itself (LMTP).
/// </summary>
public static class LocalDeliveryRoom
{
    public static IServiceCollection AddLocalDelivery(this IServiceCollection services) => services.AddSingleton<ListDoor>().AddSingleton<BounceIntake>().AddSingleton<LocalDelivery>().AddSingleton<MessageTrace>().AddSingleton<Vacations>().AddSingleton<ForwardConfirmations>().AddSingleton<TestCopies>().AddHostedService<AccountExpiry>();
}
