import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.Scanner;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Verifies callbacks as the specification of Standard Webhooks says, with the JDK alone. Reads a callback a line: secret, id,
 * timestamp, signature and body, each in Base64, `-` for what is missing. Prints `accepted` or `refused` for each.
 */
class VerifyCallback {
  static final long TOLERANCE_SECONDS = 5 * 60;

  public static void main(String[] args) throws Exception {
    var lines = new Scanner(System.in);
    while (lines.hasNextLine()) {
      var fields = Arrays.stream(lines.nextLine().split(" "))
          .map(field -> field.equals("-") ? null : Base64.getDecoder().decode(field))
          .toArray(byte[][]::new);
      System.out.println(isValid(fields[0], fields[1], fields[2], fields[3], fields[4]) ? "accepted" : "refused");
    }
  }

  static boolean isValid(byte[] secret, byte[] id, byte[] timestamp, byte[] signatures, byte[] body) throws Exception {
    if (id == null || timestamp == null || signatures == null) return false;
    var seconds = new String(timestamp, StandardCharsets.US_ASCII);
    if (!seconds.matches("[0-9]{1,12}")) return false;
    var now = System.currentTimeMillis() / 1000;
    if (Math.abs(now - Long.parseLong(seconds)) > TOLERANCE_SECONDS) return false;

    var mac = Mac.getInstance("HmacSHA256");
    var key = new String(secret, StandardCharsets.US_ASCII).substring("whsec_".length());
    mac.init(new SecretKeySpec(Base64.getDecoder().decode(key), "HmacSHA256"));
    for (var part : new byte[][] {id, {'.'}, timestamp, {'.'}, body}) mac.update(part);
    var expected = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal())).getBytes(StandardCharsets.US_ASCII);
    var isOne = false;
    for (var signature : new String(signatures, StandardCharsets.US_ASCII).split(" ")) {
      isOne |= MessageDigest.isEqual(expected, signature.getBytes(StandardCharsets.US_ASCII));
    }
    return isOne;
  }
}
