"""Runs the inline function that puts the pixel, as Lambda would, and looks at what it leaves and answers."""

import contextlib
import http.server
import io
import json
import logging
import os
import socket
import sys
import threading
import time
import types
import unittest

import boto3
import yaml
from moto.server import ThreadedMotoServer
from PIL import Image

BUCKET = "pixels"
# What CloudFormation takes as an answer at the most:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html
LARGEST_ANSWER = 4096


class Template(yaml.SafeLoader):
    """YAML whose `!Ref` and its kin stay what they are applied to."""


def plain(loader, _tag, node):
    kinds = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence}
    return kinds.get(type(node), loader.construct_mapping)(node)


Template.add_multi_constructor("!", plain)


class Answers(http.server.BaseHTTPRequestHandler):
    """Stands where CloudFormation listens for the answer, which is one PUT."""

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.answers.append((body, self.headers["content-type"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args):
        pass


def codes(data, bits):
    """The LZW codes in `data`, all of `bits` bits, as long as no code of the table has grown longer."""
    number = int.from_bytes(data, "little")
    return [number >> at & (1 << bits) - 1 for at in range(0, len(data) * 8 - bits + 1, bits)]


class PixelUpload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(sys.argv[1], encoding="utf-8") as file:
            resources = yaml.load(file, Template)["Resources"]
        cls.function = resources["PixelUpload"]["Properties"]
        cls.resource = resources["Pixel"]["Properties"]
        cls.code = cls.function["Code"]["ZipFile"]

        cls.s3_server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        cls.s3_server.start()
        cls.addClassCleanup(cls.s3_server.stop)
        cls.s3_url = "http://{}:{}".format(*cls.s3_server.get_host_and_port())

        cls.stack = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        cls.stack.answers = []
        threading.Thread(target=cls.stack.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.stack.shutdown)

        os.environ.update(
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",
            AWS_DEFAULT_REGION="us-east-1",
            AWS_EC2_METADATA_DISABLED="true",
        )
        cls.s3 = boto3.client("s3", endpoint_url=cls.s3_url)

    def setUp(self):
        os.environ["AWS_ENDPOINT_URL_S3"] = self.s3_url
        self.stack.answers.clear()
        if any(bucket["Name"] == BUCKET for bucket in self.s3.list_buckets()["Buckets"]):
            for key in self.keys():
                self.s3.delete_object(Bucket=BUCKET, Key=key)
        else:
            self.s3.create_bucket(Bucket=BUCKET)

    def keys(self):
        listed = self.s3.list_objects_v2(Bucket=BUCKET)
        return [item["Key"] for item in listed.get("Contents", [])]

    def event(self, kind="Create", path="/p.gif", bucket=BUCKET, **more):
        event = {
            "RequestType": kind,
            "ResponseURL": "http://{}:{}/answer?signature=x".format(*self.stack.server_address),
            "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/pixlake-Edge/1",
            "RequestId": "a request",
            "ResourceType": "Custom::Pixel",
            "LogicalResourceId": "Pixel",
            "ResourceProperties": {"ServiceToken": "arn", "Bucket": bucket, "Path": path},
        }
        return event | more

    def run_handler(self, event):
        """Loads the code as a fresh sandbox does and hands it the event."""
        module, handler = self.function["Handler"].split(".")
        self.assertEqual(module, "index", "the name that CloudFormation gives to inline code")
        names = {"__name__": module}
        exec(compile(self.code, f"{module}.py", "exec"), names)
        context = types.SimpleNamespace(log_stream_name="2026/11/01/[$LATEST]0123")
        with contextlib.redirect_stdout(io.StringIO()):
            return names[handler](event, context)

    def invoke(self, event):
        """The one answer to an event of CloudFormation."""
        self.run_handler(event)
        self.assertEqual(len(self.stack.answers), 1, "answers to one event")
        body, content_type = self.stack.answers.pop()
        self.assertLess(len(body), LARGEST_ANSWER)
        self.assertEqual(content_type, "", "what the presigned URL was signed with")
        answer = json.loads(body)
        for name in ("StackId", "RequestId", "LogicalResourceId"):
            self.assertEqual(answer[name], event[name])
        return answer

    def failed(self, event):
        """The sentence of an answer that says FAILED."""
        answer = self.invoke(event)
        self.assertEqual(answer["Status"], "FAILED")
        self.assertTrue(answer["PhysicalResourceId"])
        self.assertRegex(answer["Reason"], r"^The pixel was not put at .+: \w+: .+")
        return answer["Reason"]

    def pixel(self, key="p.gif"):
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def test_a_new_stack_gets_the_pixel_at_its_path(self):
        answer = self.invoke(self.event())
        self.assertEqual(answer["Status"], "SUCCESS")
        self.assertEqual(self.keys(), ["p.gif"])

    def test_the_pixel_is_one_transparent_point_to_a_decoder(self):
        self.invoke(self.event())
        with Image.open(io.BytesIO(self.pixel())) as image:
            image.load()
            self.assertEqual((image.format, image.size, image.n_frames), ("GIF", (1, 1), 1))
            self.assertEqual(image.info["version"], b"GIF89a")
            self.assertEqual(image.convert("RGBA").getpixel((0, 0))[3], 0, "alpha")

    def test_the_pixel_is_whole_to_the_last_byte_of_the_format(self):
        # https://www.w3.org/Graphics/GIF/spec-gif89a.txt
        self.invoke(self.event())
        gif = self.pixel()
        self.assertEqual(len(gif), 43)
        self.assertEqual(gif[:10], b"GIF89a\x01\x00\x01\x00")
        self.assertEqual(gif[10] & 0x87, 0x80, "a global table of 2 colours")
        self.assertEqual(gif[19:22], b"\x21\xf9\x04", "graphic control extension")
        self.assertEqual(gif[22] & 1, 1, "transparent colour given")
        transparent = gif[25]
        self.assertEqual(gif[26], 0, "its end")
        self.assertEqual(gif[27:37], b"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00", "image descriptor")
        bits, length = gif[37], gif[38]
        clear, end = 1 << bits, (1 << bits) + 1
        self.assertEqual(codes(gif[39 : 39 + length], bits + 1)[:3], [clear, transparent, end])
        self.assertEqual(gif[39 + length :], b"\x00\x3b", "end of the image and of the file")

    def test_no_browser_may_store_the_pixel(self):
        self.invoke(self.event())
        head = self.s3.head_object(Bucket=BUCKET, Key="p.gif")
        self.assertEqual(head["ContentType"], "image/gif")
        self.assertEqual(head["CacheControl"], "no-store")

    def test_another_path_is_another_pixel_and_the_old_one_stays(self):
        old = self.invoke(self.event())["PhysicalResourceId"]
        update = self.event("Update", "/t/1/p.gif", PhysicalResourceId=old)
        answer = self.invoke(update)
        self.assertEqual(answer["Status"], "SUCCESS")
        self.assertEqual(sorted(self.keys()), ["p.gif", "t/1/p.gif"])
        self.assertEqual(self.pixel("t/1/p.gif"), self.pixel())
        # Another id makes CloudFormation delete the old one afterwards.
        self.assertNotEqual(answer["PhysicalResourceId"], old)
        self.assertEqual(self.invoke(self.event("Delete", PhysicalResourceId=old))["Status"], "SUCCESS")
        self.assertEqual(sorted(self.keys()), ["p.gif", "t/1/p.gif"])

    def test_the_same_path_again_mends_the_pixel_and_is_the_same_resource(self):
        first = self.invoke(self.event())["PhysicalResourceId"]
        good = self.pixel()
        self.s3.put_object(Bucket=BUCKET, Key="p.gif", Body=b"broken")
        answer = self.invoke(self.event("Update", PhysicalResourceId=first))
        self.assertEqual((answer["Status"], answer["PhysicalResourceId"]), ("SUCCESS", first))
        self.assertEqual(self.pixel(), good)

    def test_a_stack_can_be_deleted_without_s3_and_whatever_the_event_lacks(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            os.environ["AWS_ENDPOINT_URL_S3"] = "http://{}:{}".format(*unused.getsockname())
            event = self.event("Delete", PhysicalResourceId="no place")
            del event["ResourceProperties"]
            answer = self.invoke(event)
        self.assertEqual((answer["Status"], answer["PhysicalResourceId"]), ("SUCCESS", "no place"))

    def test_a_refusal_by_s3_is_answered_with_its_reason(self):
        reason = self.failed(self.event(bucket="nobody-has-this-one"))
        self.assertIn("s3://nobody-has-this-one/p.gif", reason)
        self.assertIn("NoSuchBucket", reason)

    def test_an_s3_that_never_answers_is_given_up_well_before_the_timeout(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            os.environ["AWS_ENDPOINT_URL_S3"] = "http://{}:{}".format(*silent.getsockname())
            start = time.monotonic()
            reason = self.failed(self.event())
        self.assertIn("Timeout", reason)
        self.assertLess(time.monotonic() - start, self.function["Timeout"] / 2)
        self.assertGreater(self.resource["ServiceTimeout"], self.function["Timeout"])

    def test_a_malformed_event_is_answered(self):
        for name in ("RequestType", "ResourceProperties"):
            event = self.event()
            del event[name]
            with self.subTest(missing=name):
                self.assertIn(name, self.failed(event))
        for name in ("Bucket", "Path"):
            event = self.event()
            del event["ResourceProperties"][name]
            with self.subTest(missing=name):
                self.assertIn(name, self.failed(event))
        for path in (7, None, [], "", "/"):
            with self.subTest(path=path):
                self.failed(self.event(path=path))
        self.assertEqual(self.keys(), [])

    def test_a_long_reason_still_fits_an_answer(self):
        # S3's client repeats a name that it refuses.
        self.assertIn("x" * 100, self.failed(self.event(bucket="x" * 1300)))

    def test_a_lost_pixel_is_put_back_by_hand(self):
        properties = {"Bucket": BUCKET, "Path": "/p.gif"}
        by_hand = {"RequestType": "Create", "ResourceProperties": properties}
        self.assertEqual(self.run_handler(by_hand)["Status"], "SUCCESS")
        self.assertEqual(self.keys(), ["p.gif"])
        properties["Bucket"] = "nobody-has-this-one"
        told = self.run_handler(by_hand)
        self.assertEqual(told["Status"], "FAILED")
        self.assertIn("NoSuchBucket", told["Reason"])
        self.assertEqual(self.stack.answers, [])

    def test_the_answer_module_is_imported_in_the_words_that_cloudformation_looks_for(self):
        # CloudFormation's user guide, "cfn-response module": "use this exact import statement".
        self.assertIn("import cfnresponse", self.code.splitlines())


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(PixelUpload)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    bad = len({case.id().split(" ")[0] for case, _ in result.failures + result.errors})
    verdict = "ok" if result.wasSuccessful() and result.testsRun else "FAILED"
    print(f"test result: {verdict}. {result.testsRun - bad} passed; {bad} failed;")
    sys.exit(verdict != "ok")
