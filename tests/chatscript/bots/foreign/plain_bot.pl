# A foreign bot in Perl without any library for bots: HTTP and JSON, as the Bot API is.

use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;

my $api = "$ENV{BOT_API_URL}/bot$ENV{BOT_TOKEN}";
my $http = HTTP::Tiny->new( timeout => 60 );
my $json = JSON::PP->new->utf8;
my $keys = { inline_keyboard => [ [ map { { text => $_, callback_data => $_ } } "Yes", "No" ] ] };
my ( $next, %steps ) = (0);

sub call {
    my ( $method, %fields ) = @_;
    my $body   = $json->encode( \%fields );
    my $answer = $http->post( "$api/$method", { content => $body, headers => { "Content-Type" => "application/json" } } );
    die "$method: $answer->{status} $answer->{content}\n" unless $answer->{success};
    return $json->decode( $answer->{content} )->{result};
}

sub hear {
    my ($message) = @_;
    my ( $chat, $text ) = ( $message->{chat}{id}, $message->{text} // "" );
    if ( $text eq "/start" ) {
        $steps{$chat} = { asked => "name" };
        call( "sendMessage", chat_id => $chat, text => "What is your name?" );
    }
    elsif ( $text eq "/cancel" ) {
        delete $steps{$chat};
        call( "sendMessage", chat_id => $chat, text => "Bye." );
    }
    elsif ( $steps{$chat}{asked} ) {
        $steps{$chat} = { name => $text };
        call( "sendMessage", chat_id => $chat, text => "Hello $text, do you agree?", reply_markup => $keys );
    }
}

sub press {
    my ($query) = @_;
    my %place   = ( chat_id => $query->{message}{chat}{id}, message_id => $query->{message}{message_id} );
    my $step    = delete $steps{ $place{chat_id} };
    my $verdict = $query->{data} eq "Yes" ? "agreed" : "declined";
    call( "answerCallbackQuery", callback_query_id => $query->{id}, text => "Noted" );
    call( "editMessageText", %place, text => "$step->{name} $verdict." );
}

while (1) {
    for my $update ( @{ call( "getUpdates", offset => $next, timeout => 30 ) } ) {
        $next = $update->{update_id} + 1;
        hear( $update->{message} )         if $update->{message};
        press( $update->{callback_query} ) if $update->{callback_query};
    }
}
